"""The Open Inference Protocol over HTTP: thin, between the client and the dataplane."""
