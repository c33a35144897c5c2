"""`tailq-profile dataset`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Half(StrEnum):
    """The halves of the test images."""

    PROFILE = "profile"
    UNSEEN = "unseen"


def dataset(
    name: Annotated[str, typer.Argument(help="fashion-mnist")],
    half: Annotated[Half, typer.Option(help="unseen: never used in profiles.")],
    out: Annotated[Path, typer.Option(help="The .npz file to write.")],
) -> None:
    """Export labelled data as an .npz: float32 inputs [N, …] and int64 labels [N]."""
    from profiler.datasets import FASHION_MNIST, arrays, load_fashion_mnist

    if name != FASHION_MNIST:
        raise typer.BadParameter(f"there is no data set {name!r}, only {FASHION_MNIST}")
    loaded = load_fashion_mnist(half.value)
    arrays.write(out, loaded)
    print(f"{len(loaded.labels)} samples {list(loaded.values.shape[1:])} written to {out}")
