"""The messages of the protocol: `inference.proto`, and what is generated from it."""
