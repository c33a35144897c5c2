"""The fingerprint of a served model: the same for the same model, however it was asked for."""

import hashlib
import json
from collections.abc import Mapping


def fingerprint(name: str, version: str, platform: str, config: Mapping[str, object]) -> str:
    """Hash a model as Triton reports it: SHA-256, 64 hexadecimal digits.

    name, version, platform: as in the model's metadata. config: its configuration as JSON with
    defaults spelled out, from the HTTP endpoint or from gRPC; these differ in which defaults they
    know and in how 64-bit integers are written, which does not change the hash.
    """
    said = json.dumps([name, version, platform, _canonical(config)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def _canonical(value: object) -> object:
    if isinstance(value, Mapping):
        # A part that holds nothing but defaults stays: that it is there may switch something on.
        parts = {str(k): _canonical(v) for k, v in value.items() if v not in (None, "", 0, [], {})}
        return {key: part for key, part in parts.items() if part != 0}  # "0" of a 64-bit integer
    if isinstance(value, list | tuple):
        return [_canonical(part) for part in value]
    if isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    return value
