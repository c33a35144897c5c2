"""`tailq-profile probes`."""

from pathlib import Path
from typing import Annotated

import typer

from profiler.commands import options
from profiler.commands import parameters as p


def probes(
    profile: Annotated[Path, typer.Argument(help="Folder of a profile.")],
    triton: p.TritonAddress,
    dataset: p.DatasetName,
    out: Annotated[
        Path | None, typer.Option(help="The file to write. [default: probes.npz in the profile]")
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="How many, at most.")] = 512,
    labels: p.Labels = None,
    images: p.Images = None,
    image_size: p.ImageSize = None,
    layout: p.ImageLayout = None,
    scale: p.Scale = 1 / 255,
    mean: p.Mean = "0",
    std: p.Std = "1",
) -> None:
    """Choose samples that the gateway may send itself, for a profile that has none or too few.

    `run` does so by itself. The data must be those of the profile, the models may be anywhere.
    """
    from profiler.datasets import open_dataset
    from profiler.probes.command import add_probes

    pixels = options.preprocessing(image_size, layout, scale, mean, std)
    print(add_probes(profile, triton, open_dataset(dataset, labels, pixels, images), out, samples))
