"""Measuring: what every variant answers, and when (`tailq-profile run`)."""
