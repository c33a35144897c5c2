"""Where answers come from: what the dataplane expects of an upstream, and a fleet of Tritons."""
