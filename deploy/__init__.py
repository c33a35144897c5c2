"""How tailq is run: embedded on a laptop, in containers, with its monitoring."""
