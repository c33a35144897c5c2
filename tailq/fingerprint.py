"""The fingerprint of a served model: the same for the same model, however it was asked for."""

import hashlib
import json
from collections.abc import Mapping


def fingerprint(name: str, version: str, platform: str, config: Mapping[str, object]) -> str:
    """Hash a model as Triton reports it: SHA-256, 64 hexadecimal digits.

    name, version, platform: as in the model's metadata. config: its configuration as JSON, from
    the HTTP endpoint or from gRPC; these differ in whether defaults are spelled out and in how
    64-bit integers are written, which does not change the hash.
    """
    said = json.dumps([name, version, platform, _canonical(config)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def _canonical(value: object) -> object:
    if isinstance(value, Mapping):
        fields = {str(key): _canonical(part) for key, part in value.items()}
        return {key: part for key, part in fields.items() if part not in (None, "", 0, [], {})}
    if isinstance(value, list | tuple):
        return [_canonical(part) for part in value]
    if isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    return value
