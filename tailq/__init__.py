"""The shared language of tailq: quality at a deadline, plans, tiers, promises, decisions.

Pure: nothing here opens a socket, reads a clock or keeps global state. Times are seconds as
floats, passed in; qualities and probabilities are floats in [0, 1].
"""
