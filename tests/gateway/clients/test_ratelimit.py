"""A client's quota in header fields."""

from gateway.clients import Clients, ratelimit
from gateway.clients.settings import Bounds, ClientsSettings, QuotaSettings
from gateway.errors import Quota, QuotaExceeded
from tailq.route import Ask


def test_a_quota_is_told_in_structured_fields() -> None:
    """Policy, what remains, and the seconds to use it in, as the draft writes them."""
    bounds = Bounds(quota=QuotaSettings(requests=10, window_s=60), max_in_flight=4)
    client = Clients(ClientsSettings(anonymous=bounds)).identify(None)
    for _ in range(4):
        client.enter("fast", Ask(), 0.0)
    assert ratelimit.fields(client, 0.0) == (
        (
            "ratelimit-policy",
            '"requests";q=10;w=60, "in-flight";q=4;qu="concurrent-requests"',
        ),
        ("ratelimit", '"requests";r=6;t=24'),
    )


def test_with_nothing_left_the_window_is_until_there_is_one() -> None:
    """RateLimit and Retry-After say the same."""
    bounds = Bounds(quota=QuotaSettings(requests=2, window_s=60))
    client = Clients(ClientsSettings(anonymous=bounds)).identify(None)
    client.enter("fast", Ask(), 0.0)
    client.enter("fast", Ask(), 0.0)
    assert ratelimit.fields(client, 0.5)[1] == ("ratelimit", '"requests";r=0;t=30')
    quota = client.quota(0.5)
    assert ratelimit.retry_after_s(QuotaExceeded("", quota)) == 30


def test_retry_after_is_never_at_once() -> None:
    """Less than a second is one: whole seconds are all there is."""
    assert ratelimit.retry_after_s(QuotaExceeded("", Quota(1, 1, 0, 0.5, 0.01))) == 1
    assert ratelimit.retry_after_s(QuotaExceeded("", None)) == 1


def test_without_a_quota_nothing_is_said() -> None:
    """No fields rather than empty ones."""
    client = Clients(ClientsSettings()).identify(None)
    assert ratelimit.fields(client, 0.0) == ()
