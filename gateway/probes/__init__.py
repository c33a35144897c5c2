"""Labelled samples of the profile that the gateway asks itself for, as a client would."""
