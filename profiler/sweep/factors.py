"""The factors a sweep can vary, and what a combination of their levels asks of the system. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tailq.errors import BadRequest

VARIANT = "variant"
_NONE = "none"
_MODEL = re.compile(r"(?P<name>[^:]+)(:(?P<count>[1-9]\d*))?")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another model that is kept busy. count: requests in flight."""

    model: str
    count: int


@dataclass(frozen=True, slots=True)
class Conditions:
    """What holds in a cell.

    concurrency: requests in flight. batch: samples in a request. delay_s, jitter_s: of the network,
    None where it is not touched. instances, cpus: limits, None where they are not touched.
    """

    variant: str
    concurrency: int = 1
    batch: int = 1
    delay_s: float | None = None
    jitter_s: float | None = None
    neighbour: Neighbour | None = None
    instances: int | None = None
    cpus: int | None = None


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise ValueError("a whole number from 1")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ValueError("milliseconds, from 0")
    return value / 1000


def _neighbour(text: str) -> Neighbour | None:
    if text == _NONE:
        return None
    match = _MODEL.fullmatch(text)
    if match is None:
        raise ValueError("none, MODEL or MODEL:REQUESTS_IN_FLIGHT")
    return Neighbour(match["name"], int(match["count"] or 1))


# Name of a factor -> the field of Conditions it sets, and how a level is read.
_FACTORS: dict[str, tuple[str, Callable[[str], object]]] = {
    VARIANT: ("variant", str),
    "concurrency": ("concurrency", _count),
    "batch": ("batch", _count),
    "delay-ms": ("delay_s", _seconds),
    "jitter-ms": ("jitter_s", _seconds),
    "neighbour": ("neighbour", _neighbour),
    "instances": ("instances", _count),
    "cpus": ("cpus", _count),
}


def parse(options: Sequence[str], models: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read options like "concurrency=1,2,4": the levels of each factor, as they were given.

    models: the variants, as another way to give the levels of `variant`. Returns factors in the
    order given, `variant` first. Raises BadRequest naming the option and what it may be.
    """
    factors: dict[str, tuple[str, ...]] = {VARIANT: tuple(models)} if models else {}
    for option in options:
        name, _, text = option.partition("=")
        if name not in _FACTORS:
            raise BadRequest(
                f"--factor {option}: there is no factor {name!r}, only {', '.join(_FACTORS)}"
            )
        if name in factors:
            also = " (--models gives its levels)" if name == VARIANT and models else ""
            raise BadRequest(f"--factor {option}: {name} is given twice{also}")
        factors[name] = _levels(option, name, text)
    if VARIANT not in factors:
        raise BadRequest("no model is named: give --models a,b or --factor variant=a,b")
    if all(len(levels) == 1 for levels in factors.values()):
        raise BadRequest("there is nothing to sweep: give a factor of at least two levels")
    return {VARIANT: factors.pop(VARIANT)} | factors


def conditions(levels: Mapping[str, str]) -> Conditions:
    """What a combination of levels asks for; `variant` must be among the factors."""
    values = {_FACTORS[name][0]: _FACTORS[name][1](text) for name, text in levels.items()}
    return Conditions(**values)  # type: ignore[arg-type]  # the table above has the types


def _levels(option: str, name: str, text: str) -> tuple[str, ...]:
    levels = tuple(part.strip() for part in text.split(",") if part.strip())
    if not levels:
        raise BadRequest(f"--factor {option}: give its levels, like {name}=a,b")
    seen = set()
    for level in levels:
        try:
            value = _FACTORS[name][1](level)
        except ValueError as error:
            raise BadRequest(f"--factor {option}: {level!r} is not {error}") from None
        if value in seen:
            raise BadRequest(f"--factor {option}: the level {level} is given twice")
        seen.add(value)
    return levels
