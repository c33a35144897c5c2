"""What an operator says of clients."""

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.clients.settings import Bounds, ClientsSettings
from tailq.errors import TailqError

HASH = "0" * 64


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"named": {"shop": {}}}, "keys"),
        ({"named": {"shop": {"keys": ["tailq_in_clear"]}}}, "must be the SHA-256"),
        ({"named": {"shop": {"keys": [HASH]}, "b": {"keys": [HASH]}}}, "'shop' and 'b' have the"),
        ({"named": {"anonymous": {"keys": [HASH]}}}, "choose another name"),
        ({"named": {"Shop!": {"keys": [HASH]}}}, "pattern"),
        ({"anonymous": {"tiers": []}}, "at least 1"),
        ({"anonymous": {"quota": {"requests": 0, "window_s": 1}}}, "greater than or equal"),
        ({"anonymous": {"min_deadline_ms": 2, "max_deadline_ms": 1}}, "must not be above"),
        ({"anonymous": {"max_deadline_ms": 60_001}}, "less than or equal"),
        ({"anonymus": False}, "Extra inputs"),
    ],
)
def test_mistakes_are_named(settings: dict[str, Any], says: str) -> None:
    """What cannot be meant is refused, not guessed."""
    with pytest.raises(ValidationError, match=says):
        ClientsSettings.model_validate(settings)


def test_anonymous_is_yes_no_or_within_bounds() -> None:
    """Yes by default."""
    assert ClientsSettings().without_key == Bounds()
    assert ClientsSettings(anonymous=False).without_key is None
    bounds = Bounds(max_in_flight=3)
    assert ClientsSettings(anonymous=bounds).without_key == bounds


def test_allowed_tiers_must_exist() -> None:
    """A misspelt tier would lock a client out: the message names the place and what there is."""
    settings = ClientsSettings.model_validate(
        {
            "anonymous": {"tiers": ["fast"]},
            "named": {"shop": {"keys": [HASH], "tiers": ["golld", "fast"]}},
        }
    )
    settings.check(["fast", "golld"])
    with pytest.raises(TailqError, match=r"clients\.named\.shop\.tiers.*'golld'.*fast, gold"):
        settings.check(["gold", "fast"])
