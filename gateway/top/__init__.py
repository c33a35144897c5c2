"""`tailq-gateway top`: the live view in a terminal."""
