"""Who asks, what it may have, and how much of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clients import Clients, keys
from gateway.clients.settings import Bounds, ClientSettings, ClientsSettings, QuotaSettings
from gateway.errors import Forbidden, QuotaExceeded, Unauthorized
from tailq.route import Ask

KEY = keys.new()
SENT = f"Bearer {KEY}".encode()
NOTHING = Ask()


def named(**bounds: object) -> ClientsSettings:
    """Settings with one client, `shop`, of these bounds; nobody without a key."""
    shop = ClientSettings.model_validate({"keys": [keys.digest(KEY.encode())], **bounds})
    return ClientsSettings(anonymous=False, named={"shop": shop})


def test_a_client_is_found_by_its_key() -> None:
    """Whatever the case of the scheme; the key itself is nowhere kept."""
    clients = Clients(named())
    assert clients.identify(SENT).name == "shop"
    assert clients.identify(b"bearer  " + KEY.encode()).name == "shop"
    assert KEY not in repr(clients.__dict__)


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (None, "Authorization: Bearer KEY"),
        (b"", "Bearer KEY"),
        (b"Basic c2hvcDpzZWNyZXQ=", "Bearer KEY"),
        (b"Bearer", "Bearer KEY"),
        (b"Bearer a b", "Bearer KEY"),
        (b"Bearer " + b"a" * 257, "Bearer KEY"),
        (b"Bearer tailq_stolen", "nobody"),
    ],
)
def test_who_is_not_known_is_refused(sent: bytes | None, says: str) -> None:
    """The text says how to send a key, and repeats nothing of what was sent."""
    clients = Clients(named())
    with pytest.raises(Unauthorized, match=says) as error:
        clients.identify(sent)
    assert "stolen" not in str(error.value)
    assert "secret" not in str(error.value)
    assert clients.unknown == 1


def test_whoever_was_counted_stays_so_when_gone() -> None:
    """A counter that fell would be taken for a restart; who is never counted is not shown."""
    before = Clients(named())
    client = before.identify(SENT)
    client.enter("gold", NOTHING, 0.0)
    after = Clients(ClientsSettings(), before)
    assert {name: one.admitted for name, one in after.standings} == {"shop": 1}


def test_without_a_key_one_is_anonymous() -> None:
    """By default everybody may ask; an unknown key is still refused."""
    clients = Clients(named().model_copy(update={"anonymous": True}))
    anonymous = clients.identify(None)
    assert (anonymous.name, anonymous.free) == ("anonymous", True)
    with pytest.raises(Unauthorized):
        clients.identify(b"Bearer tailq_stolen")


def test_where_nobody_has_a_key_the_header_is_not_ours() -> None:
    """Credentials for something before or behind the gateway do no harm."""
    assert Clients(ClientsSettings()).identify(b"Basic abc").free


def test_anonymous_clients_may_be_bounded_together() -> None:
    """All who send no key share one account."""
    bounds = Bounds(quota=QuotaSettings(requests=1, window_s=60))
    clients = Clients(ClientsSettings(anonymous=bounds))
    assert not clients.identify(None).free
    clients.identify(None).enter("fast", NOTHING, 0.0)
    with pytest.raises(QuotaExceeded):
        clients.identify(None).enter("fast", NOTHING, 0.0)


def test_a_tier_may_be_closed_to_a_client() -> None:
    """The refusal names the tiers that are open, and costs nothing of the quota."""
    clients = Clients(named(tiers=["fast", "slow"], quota={"requests": 1, "window_s": 1}))
    client = clients.identify(SENT)
    with pytest.raises(Forbidden, match="fast, slow"):
        client.enter("gold", NOTHING, 0.0)
    assert client.enter("fast", NOTHING, 0.0) is NOTHING
    assert client.standing.refused["tier"] == 1


def test_deadlines_are_bounded() -> None:
    """Below the minimum is refused, naming it; above the maximum, or none, is tightened to it."""
    client = Clients(named(min_deadline_ms=20, max_deadline_ms=500)).identify(SENT)
    with pytest.raises(Forbidden, match="20 ms or more"):
        client.enter("fast", Ask(tier="fast", deadline_s=0.019), 0.0)
    for asked, given_s in ((None, 0.5), (0.6, 0.5), (0.5, 0.5), (0.02, 0.02)):
        ask = Ask(tolerance=0.1, objective="cost", deadline_s=asked)
        assert client.enter("fast", ask, 0.0) == Ask(None, 0.1, "cost", given_s)


def test_what_is_in_flight_is_bounded() -> None:
    """One more is refused until one has left; it costs nothing of the quota."""
    clients = Clients(named(max_in_flight=2, quota={"requests": 3, "window_s": 1}))
    client = clients.identify(SENT)
    client.enter("fast", NOTHING, 0.0)
    client.enter("fast", NOTHING, 0.0)
    with pytest.raises(QuotaExceeded) as error:
        client.enter("fast", NOTHING, 0.0)
    assert error.value.quota is None
    client.leave()
    client.enter("fast", NOTHING, 0.0)
    client.leave()
    with pytest.raises(QuotaExceeded) as error:
        client.enter("fast", NOTHING, 0.0)
    assert error.value.quota is not None
    assert error.value.quota.remaining == 0


def test_other_bounds_find_the_same_standing() -> None:
    """A reload forgets neither what was used up nor what is in flight, though a name be gone."""
    settings = named(quota={"requests": 2, "window_s": 60}, max_in_flight=1)
    before = Clients(settings)
    old = before.identify(SENT)
    old.enter("fast", NOTHING, 0.0)
    between = Clients(ClientsSettings(), before)
    after = Clients(settings, between)
    new = after.identify(SENT)
    with pytest.raises(QuotaExceeded, match="in flight"):
        new.enter("fast", NOTHING, 0.0)
    old.leave()
    new.enter("fast", NOTHING, 0.0)
    new.leave()
    with pytest.raises(QuotaExceeded, match="quota"):
        new.enter("fast", NOTHING, 0.0)


def test_workers_count_together() -> None:
    """Where the number of a quota lies is the caller's choice: in memory that workers share."""
    shared = {"shop": memoryview(bytearray(8)).cast("d")}
    settings = named(quota={"requests": 3, "window_s": 60})
    workers = [Clients(settings, cell=shared.__getitem__).identify(SENT) for _ in range(2)]
    for number in range(3):
        workers[number % 2].enter("fast", NOTHING, 0.0)
    for worker in workers:
        with pytest.raises(QuotaExceeded):
            worker.enter("fast", NOTHING, 0.0)


@given(st.lists(st.sampled_from(["enter", "leave"]), max_size=60), st.integers(1, 5))
def test_in_flight_is_what_entered_and_did_not_leave(steps: list[str], most: int) -> None:
    """However they come and go: never more than the bound, and never refused below it."""
    client, inside = Clients(named(max_in_flight=most)).identify(SENT), 0
    for step in steps:
        if step == "leave":
            if inside:
                client.leave()
                inside -= 1
        elif inside < most:
            client.enter("fast", NOTHING, 0.0)
            inside += 1
        else:
            with pytest.raises(QuotaExceeded):
                client.enter("fast", NOTHING, 0.0)
        assert client.standing.in_flight == inside
