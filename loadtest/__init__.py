"""Open-loop load on the gateway: what clients of each tier really get, beside what is promised."""
