"""Reading settings: flags win over the environment, the environment over the file."""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from gateway.clients.settings import ANONYMOUS_IS
from gateway.settings.model import Settings, keys
from tailq.errors import TailqError

PREFIX: Final = "TAILQ_GATEWAY__"
_REMEDY: Final[dict[tuple[str, ...], str]] = {
    ("tiers",): "name the tier table: --tiers FILE, or tiers = … in the settings",
    ("upstream",): "name Triton's HTTP endpoint: --triton HOST:PORT, or [upstream] endpoints = […]",
}
# In the place of a mistake: not written by whoever made it.
_NO_KEYS: Final = frozenset(("[key]", *ANONYMOUS_IS))
# Where pydantic speaks of Python's types: what is wanted instead, by its kind of error.
_WANTED: Final = {
    **dict.fromkeys(("tuple_type", "frozen_set_type"), 'must be a list, such as ["…"]'),
    **dict.fromkeys(("model_type", "dict_type"), "must be a table of keys"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "must be true or false"),
    "path_type": "must be the path of a file",
    "byte_size": 'must be a number of bytes, or a size such as "64MiB"',
    "byte_size_unit": 'must be a number of bytes, or a size such as "64MiB"',
}


@dataclass(frozen=True, slots=True)
class Given:
    """One value, and who gave it. path: of the key, ("listen", "http_port")."""

    path: tuple[str, ...]
    value: Any
    origin: str


def load(
    file: Path | None,
    environment: Mapping[str, str],
    flags: Iterable[Given] = (),
    content: bytes | None = None,
) -> Settings:
    """The settings. Raises TailqError: one line a mistake, naming its place and the remedy.

    content: of the file, if it was read already.
    """
    given = [
        *(() if file is None else _of_file(file, content)),
        *_of_environment(environment),
        *flags,
    ]
    tree: dict[str, Any] = {}
    for one in given:
        _put(tree, one)
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        origins = {one.path: one.origin for one in given}
        problems = error.errors()
        at = [problem["loc"] for problem in problems]
        lines = dict.fromkeys(
            _printable(_explain(problem, origins, file))
            for problem in problems
            # Not of a list whose items are at fault: then it only seems too short.
            if not any(len(loc) > len(problem["loc"]) == _common(loc, problem["loc"]) for loc in at)
        )
        raise TailqError("\n".join(lines)) from None


def _printable(text: str) -> str:
    """In one line, whatever a key is made of."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _common(one: Sequence[object], other: Sequence[object]) -> int:
    """How many parts of two places are the same, from the left."""
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))


def _of_file(file: Path, content: bytes | None) -> Iterator[Given]:
    try:
        read = tomllib.loads((file.read_bytes() if content is None else content).decode())
    except OSError as error:
        raise TailqError(f"{file}: cannot be read ({error.strerror})") from None
    except RecursionError:
        raise TailqError(f"{file}: not TOML: nested too deeply") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TailqError(f"{file}: not TOML: {error}") from None
    yield from _leaves((), read, str(file))


def _leaves(path: tuple[str, ...], content: Mapping[str, Any], origin: str) -> Iterator[Given]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _leaves((*path, key), value, origin)
        else:
            yield Given((*path, key), value, origin)


def _of_environment(environment: Mapping[str, str]) -> Iterator[Given]:
    for name, text in sorted(environment.items()):
        if name.startswith(PREFIX):
            value: Any = text
            if text.lstrip()[:1] in ("[", "{"):
                try:
                    value = json.loads(text)
                except (ValueError, RecursionError):
                    said = f"{name}: lists and tables are written in JSON"
                    raise TailqError(_printable(said)) from None
            yield Given(tuple(name.removeprefix(PREFIX).lower().split("__")), value, name)


def _put(tree: dict[str, Any], one: Given) -> None:
    *above, key = one.path
    for part in above:
        inner = tree.setdefault(part, {})
        if not isinstance(inner, dict):  # said by the schema, which knows what should be there
            return
        tree = inner
    tree[key] = one.value


def _explain(
    problem: Mapping[str, Any], origins: Mapping[tuple[str, ...], str], file: Path | None
) -> str:
    loc = tuple(str(part) for part in problem["loc"] if part not in _NO_KEYS)
    *section, key = loc or ("settings",)
    place = f"[{'.'.join(section)}] {key}" if section else key
    origin = _origin(loc, origins)
    if problem["type"] == "missing":
        remedy = _REMEDY.get(loc[:1], "it must be given")
        return f"{file or 'settings'}: {place} is missing: {remedy}"
    if problem["type"] == "extra_forbidden":
        there = ", ".join(keys(section))
        said = f"no such key; there are: {there}" if there else "no such key"
    else:
        message = str(problem["msg"]).removeprefix("Value error, ")
        said = _WANTED.get(problem["type"], message)
    return f"{origin}: {said}" if origin.startswith("--") else f"{origin}: {place}: {said}"


def _origin(loc: tuple[str, ...], origins: Mapping[tuple[str, ...], str]) -> str:
    """Who gave the value at `loc`, or what is around or within it."""
    for length in range(len(loc), 0, -1):
        if loc[:length] in origins:
            return origins[loc[:length]]
    return next((origin for path, origin in origins.items() if path[: len(loc)] == loc), "settings")
