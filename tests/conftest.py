"""What holds for every test."""

import shutil
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.chromium import Chromium

# Machines are noisy: an example that takes long has not failed. All else stays as hypothesis
# chose for this machine (in CI it draws the same examples every time).
settings.register_profile("tailq", settings(), deadline=None)
settings.load_profile("tailq")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """A real browser; where there is none, its tests are skipped."""
    binary = shutil.which("chromium") or shutil.which("google-chrome")
    if binary is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with Chromium(binary) as started:
        yield started
