"""What holds for every test."""

from hypothesis import settings

# Machines are noisy: an example that takes long has not failed. All else stays as hypothesis
# chose for this machine (in CI it draws the same examples every time).
settings.register_profile("tailq", settings(), deadline=None)
settings.load_profile("tailq")
