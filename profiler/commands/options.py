"""Reading the values of command line options that are more than a word or a number."""

import math
from typing import cast

import typer
from pydantic import TypeAdapter, ValidationError

from profiler.datasets.images import Layout, Preprocessing
from tailq.tier import Name


def integers(text: str) -> tuple[int, ...]:
    """Read "1,2,4": distinct positive integers, ascending."""
    values = _numbers(text)
    if any(value != int(value) or value < 1 for value in values):
        raise typer.BadParameter(f"{text!r} is not a list of positive integers like 1,2,4")
    return tuple(sorted({int(value) for value in values}))


def seconds(milliseconds: str) -> tuple[float, ...]:
    """Read "25,50,100" (milliseconds): distinct positive times, ascending, in seconds."""
    values = _numbers(milliseconds)
    if any(value <= 0 for value in values):
        raise typer.BadParameter(f"{milliseconds!r} is not a list of positive times like 25,50,100")
    return tuple(sorted({value / 1000 for value in values}))


def shares(text: str) -> tuple[float, ...]:
    """Read "0.5,0.8": distinct shares above 0 and below 1, ascending; an empty text is none."""
    values = _numbers(text) if text.strip() else ()
    if any(not 0 < value < 1 for value in values):
        raise typer.BadParameter(f"{text!r} is not a list of shares between 0 and 1 like 0.5,0.8")
    return tuple(sorted(set(values)))


def service(text: str) -> str:
    """Read the name of a service, which is also part of URLs and metrics."""
    try:
        return TypeAdapter(Name).validate_python(text)
    except ValidationError:
        raise typer.BadParameter(
            f"--service {text!r} must be lower-case letters, digits, '_', '.' and '-'"
        ) from None


def names(text: str) -> tuple[str, ...]:
    """Read "a,b"; an empty text is no names."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def preprocessing(
    image_size: str | None, layout: str | None, scale: float, mean: str, std: str
) -> Preprocessing:
    """Gather what is said about images. image_size: "WIDTHxHEIGHT"."""
    if layout not in (None, "chw", "hwc"):
        raise typer.BadParameter(f"--layout must be chw or hwc, not {layout!r}")
    if scale == 0 or not math.isfinite(scale):
        raise typer.BadParameter(f"--scale must be a number other than 0, not {scale:g}")
    deviations = _numbers(std)
    if 0 in deviations:
        raise typer.BadParameter("--std must not be 0")
    return Preprocessing(
        size=None if image_size is None else _size(image_size),
        layout=cast("Layout | None", layout),
        scale=scale,
        mean=_numbers(mean),
        std=deviations,
    )


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise typer.BadParameter(f"--image-size {text!r} is not like 224x224")
    return int(width), int(height)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a list of numbers separated by commas") from None
    if not all(map(math.isfinite, values)):
        raise typer.BadParameter(f"{text!r} contains NaN or infinity")
    return values
