"""What an operator says of clients."""

import re
from collections.abc import Collection
from typing import Annotated, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from gateway.ask import MAX_DEADLINE_MS
from tailq.errors import TailqError
from tailq.tier import Name

ANONYMOUS = "anonymous"
Milliseconds = Annotated[float, Field(gt=0, le=MAX_DEADLINE_MS, allow_inf_nan=False)]
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
# Tags of what `anonymous` may be, a table or not, so that a mistake is told of that one only.
ANONYMOUS_IS: Final = ("(bounds)", "(bool)")


def _digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise ValueError("must be the SHA-256 of a key, as `tailq-gateway key NAME` prints it")
    return text


def _anonymous_is(given: object) -> str:
    return ANONYMOUS_IS[not isinstance(given, dict | Bounds)]


Digest = Annotated[str, AfterValidator(_digest)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class QuotaSettings(_Frozen):
    """At most `requests` at once, and on average so many in every `window_s` seconds.

    The window is the choice of how much may come at once: 10 in 1 s and 600 in 60 s are the same
    rate. It is at most a week.
    """

    requests: Annotated[int, Field(ge=1, le=1_000_000)]
    window_s: Annotated[int, Field(ge=1, le=7 * 86_400)]


class Bounds(_Frozen):
    """What a client may have; None: all of it.

    tiers: by name. min_deadline_ms: a tighter deadline than this is refused, since it is an
        urgency that others pay for. max_deadline_ms: a looser one, the tier's own too, is tightened
        to this. max_in_flight: requests at once, in each worker process.
    """

    tiers: Annotated[frozenset[Name], Field(min_length=1)] | None = None
    min_deadline_ms: Milliseconds | None = None
    max_deadline_ms: Milliseconds | None = None
    quota: QuotaSettings | None = None
    max_in_flight: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _deadlines_leave_room(self) -> Self:
        low, high = self.min_deadline_ms, self.max_deadline_ms
        if low is not None and high is not None and low > high:
            raise ValueError("min_deadline_ms must not be above max_deadline_ms")
        return self


class ClientSettings(Bounds):
    """A client with keys.

    keys: the SHA-256 of each, as `tailq-gateway key` prints it; two while one replaces the other.
    """

    keys: Annotated[tuple[Digest, ...], Field(min_length=1)]


class ClientsSettings(_Frozen):
    """Who may ask.

    anonymous: whether requests without a key are served; or within which bounds, all of them
        together. named: clients with keys, by name.
    """

    anonymous: Annotated[
        Annotated[Bounds, Tag(ANONYMOUS_IS[0])] | Annotated[bool, Tag(ANONYMOUS_IS[1])],
        Discriminator(_anonymous_is),
    ] = True
    named: dict[Name, ClientSettings] = {}

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if ANONYMOUS in self.named:
            raise ValueError(f"{ANONYMOUS!r} means clients without a key: choose another name")
        owners: dict[str, str] = {}
        for name, client in self.named.items():
            for key in client.keys:
                if owners.setdefault(key, name) != name:
                    raise ValueError(f"clients {owners[key]!r} and {name!r} have the same key")
        return self

    @property
    def without_key(self) -> Bounds | None:
        """Bounds of requests without a key. None: they are refused."""
        if isinstance(self.anonymous, Bounds):
            return self.anonymous
        return Bounds() if self.anonymous else None

    def check(self, tiers: Collection[str]) -> None:
        """Raises TailqError if a client is allowed a tier that is not among these."""
        bounds: dict[str, Bounds] = {f"named.{name}": each for name, each in self.named.items()}
        if isinstance(self.anonymous, Bounds):
            bounds[ANONYMOUS] = self.anonymous
        for name, each in bounds.items():
            for missing in sorted((each.tiers or frozenset()) - frozenset(tiers)):
                raise TailqError(
                    f"clients.{name}.tiers: no tier is called {missing!r}; "
                    f"there are: {', '.join(sorted(tiers)) or 'none'}"
                )
