"""What the gateway costs: through it against Triton directly, in one run, in turns."""
