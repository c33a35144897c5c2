"""Measuring the files themselves: the table in README.md, and SHA256SUMS."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from .data import SIDE, Images
from .errors import BuildError
from .export import assembled
from .files import write_atomically
from .runtime import latency, logits_of
from .variants import VARIANTS

OPEN, CLOSE = "<!-- table: written by build/table.py -->", "<!-- end of table -->"
HEADINGS = (
    "variant", "file, MB", "parameters", "MACs", "one thread, ms",
    "validation, %", "test, %",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """What one file is and does; accuracies in per cent, the latency in milliseconds."""

    name: str
    megabytes: float
    parameters: int
    macs: int
    milliseconds: float
    validation: float
    test: float

    def text(self) -> str:
        """Return the row as Markdown."""
        return (
            f"| `{self.name}` | {self.megabytes:.2f} | {self.parameters:,} "
            f"| {self.macs / 1e6:,.1f} M | {self.milliseconds:.3f} "
            f"| {self.validation:.2f} | {self.test:.2f} |"
        )


def multiply_adds(network: nn.Module) -> int:
    """Return the multiply-adds of one image's convolutions and linear layers, all views."""
    total = 0

    def count(layer: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(layer, nn.Conv2d | nn.Linear):
            total += output.numel() * layer.weight[0].numel()

    handles = [layer.register_forward_hook(count) for layer in network.modules()]
    with torch.inference_mode():
        network(torch.zeros(1, 1, SIDE, SIDE))
    for handle in handles:
        handle.remove()
    return total


def percent_right(model: Path, images: Images) -> float:
    """Return the per cent of images that the file classifies rightly, run by onnxruntime."""
    chosen = logits_of(model, images.pixels.numpy()).argmax(1)
    return 100 * float(np.mean(chosen == images.classes.numpy()))


def measured(name: str, work: Path, repository: Path, held_out: Images, test: Images) -> Row:
    """Measure one variant's file."""
    path = repository / "fashion" / name / "1" / "model.onnx"
    if not path.exists():
        raise BuildError(f"{path} is not there: run the step export first.")
    network = assembled(VARIANTS[name], work)
    return Row(
        name=name,
        megabytes=path.stat().st_size / 1e6,
        parameters=sum(weight.numel() for weight in network.parameters()),
        macs=multiply_adds(network),
        milliseconds=latency(path),
        validation=percent_right(path, held_out),
        test=percent_right(path, test),
    )


def write_table(rows: list[Row], repository: Path) -> None:
    """Replace the table in README.md, cheapest variant first."""
    readme = repository / "README.md"
    before, found, rest = readme.read_text().partition(OPEN)
    _, closed, after = rest.partition(CLOSE)
    if not found or not closed:
        raise BuildError(f"{readme} has no place marked for the table ({OPEN} ... {CLOSE}).")
    lines = [f"| {' | '.join(HEADINGS)} |", "|---|" + "---:|" * (len(HEADINGS) - 1)]
    lines += [row.text() for row in sorted(rows, key=lambda row: row.milliseconds)]
    text = "\n".join([before + OPEN, *lines, CLOSE + after])
    write_atomically(readme, text.encode())


def write_sums(repository: Path) -> None:
    """Write SHA256SUMS over every ONNX file, for `sha256sum -c` run in the repository."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(repository)}\n"
        for path in sorted(repository.glob("*/*/*/model.onnx"))
    ]
    write_atomically(repository / "SHA256SUMS", "".join(lines).encode())
