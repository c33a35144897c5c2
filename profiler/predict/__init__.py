"""Tail quality before deployment: what the quality at a deadline of future rounds will be."""
