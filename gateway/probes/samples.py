"""Labelled samples as requests, made once."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gateway.upstream.base import Payload
from tailq import probes
from tailq.errors import ArtefactError
from tailq.probes import Probes
from tailq.tier import TierTable


@dataclass(frozen=True, slots=True)
class Samples:
    """Each sample's request, its right class, and, by variant, the class it has in the profile."""

    requests: list[Payload]
    labels: list[int]
    answers: dict[str, list[int]]


def read(path: Path, table: TierTable) -> Samples:
    """Raises ArtefactError unless it holds samples by which the promises of `table` can be judged.

    Those of another profile would be judged by promises that were not made for them.
    """
    found = probes.read(path)
    profile = table.conditions.profile
    if found.profile != profile:
        raise ArtefactError(
            f"{path}: of profile {found.profile}, but the tiers are of profile {profile}; write "
            "it from that one (tailq-profile probes)"
        )
    for variant in sorted(table.variants):
        if variant not in table.served or not table.served[variant].classes:
            raise ArtefactError(
                f"{path}: its labels are classes, but by the tier table the answers of {variant} "
                "are none; do without probes"
            )
    return of(found)


def of(found: Probes) -> Samples:
    """Their requests."""
    return Samples(
        _requests(found),
        found.labels.tolist(),
        {variant: classes.tolist() for variant, classes in found.answers.items()},
    )


def _requests(found: Probes) -> list[Payload]:
    """In the protocol's binary form: the tensors as they lie in memory, behind what they are."""
    pieces = {
        name: [np.asarray(each, values.dtype.newbyteorder("<")).tobytes() for each in values]
        for name, values in found.inputs.items()
    }
    inputs = [
        {
            "name": name,
            "shape": values.shape[1:],
            "datatype": found.datatypes[name],
            "parameters": {"binary_data_size": len(pieces[name][0])},
        }
        for name, values in found.inputs.items()
    ]
    content = {"inputs": inputs, "parameters": {"binary_data_output": True}}
    head = json.dumps(content, separators=(",", ":")).encode()
    lines = (
        b"content-type: application/octet-stream\r\n"
        b"inference-header-content-length: %d\r\n" % len(head)
    )
    return [
        Payload([head, *(each[number] for each in pieces.values())], lines)
        for number in range(len(found.labels))
    ]
