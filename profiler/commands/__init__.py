"""The commands of `tailq-profile`, a module each: options in, a call, output. Thin.

They import what they need when they are called, so that --help does not wait for scipy.
"""
