"""Several processes that serve as one: started, looked after and summed up by a supervisor."""
