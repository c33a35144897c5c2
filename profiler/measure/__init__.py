"""Measuring: what every variant answers, and when (`tailq-profile run`).

what to do     settings, run (from a Triton to a profile), passes (answers, then rounds), enough
what is asked  conditions, rounds (drawn at random, pure), feed (their requests), wire (their bytes)
asking         triton (what it says of itself), drive (latencies), bench (answers, held to labels)
keeping        partial (OUT.partial), journal (what is in it), describe, unfinished (reading it)
the user       progress, interrupt
"""
