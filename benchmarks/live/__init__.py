"""What live accounting costs: the gateway with it against the gateway without it, in turns."""
