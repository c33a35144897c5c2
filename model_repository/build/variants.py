"""The declared family: which networks are trained, how, and which variants are made of them."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from .networks import Legacy, Residual, Strided


@dataclass(frozen=True)
class Recipe:
    """How one network is trained."""

    seed: int
    phases: tuple[tuple[int, int], ...]  # (epochs, image side in pixels), in order
    rate: float = 0.1  # peak of the one-cycle learning rate, per step of `batch` images
    batch: int = 128
    decay: float = 5e-4
    smoothing: float = 0.1
    reach: int = 2  # largest random shift, in pixels of 28
    erase: float = 0.5  # chance that a square is erased
    begin: str = ""  # the trained network, of the same shape, to go on from
    teachers: tuple[str, ...] = ()  # networks whose averaged probabilities are learnt from


@dataclass(frozen=True)
class Network:
    """A network to train: its shape and its recipe."""

    make: Callable[[], nn.Module]
    recipe: Recipe


@dataclass(frozen=True)
class Variant:
    """A file to serve: one network or an average of several, in float or in 8 bits."""

    members: tuple[str, ...]
    views: tuple[str, ...] = ("image",)
    int8: bool = False
    half: bool = False  # weights stored in half precision, computed with in float


def _wide() -> nn.Module:
    return Residual(64, ((64, 1, 1), (128, 2, 2), (192, 2, 2)))


def _slim() -> nn.Module:
    return Residual(32, ((32, 1, 1), (128, 2, 2), (192, 2, 2)))


# Most epochs at 20 pixels cost half as much; the last ones at 28 restore the fine texture.
WIDE_PHASES = ((7, 20), (5, 28))
TEACHERS = ("wide_a", "wide_b")

NETWORKS: dict[str, Network] = {
    "wide_a": Network(_wide, Recipe(seed=11, phases=WIDE_PHASES)),
    "wide_b": Network(_wide, Recipe(seed=12, phases=WIDE_PHASES)),
    "slim": Network(_slim, Recipe(seed=13, phases=((4, 20), (3, 28)))),
    "middle": Network(
        _slim,
        Recipe(
            seed=14,
            phases=((1, 28),),
            rate=0.03,
            reach=1,
            erase=0.0,
            begin="slim",
            teachers=TEACHERS,
        ),
    ),
    "small": Network(
        lambda: Residual(32, ((64, 1, 2), (128, 1, 2))),
        Recipe(seed=21, phases=((8, 28),), reach=1, erase=0.0, teachers=TEACHERS),
    ),
    "tiny": Network(
        lambda: Strided(((16, 2), (32, 2), (64, 1)), grid=1),
        Recipe(seed=22, phases=((15, 28),), decay=1e-4, reach=1, erase=0.0, teachers=TEACHERS),
    ),
    "nano": Network(
        lambda: Strided(((8, 2), (12, 2)), grid=3),
        Recipe(seed=23, phases=((15, 28),), decay=0.0, reach=0, erase=0.0, teachers=TEACHERS),
    ),
    "legacy": Network(
        Legacy,
        Recipe(seed=24, phases=((1, 28),), rate=0.05, batch=64, smoothing=0.0, reach=0, erase=0.0),
    ),
}

VARIANTS: dict[str, Variant] = {
    "fashion_nano": Variant(("nano",)),
    "fashion_tiny": Variant(("tiny",)),
    "fashion_small": Variant(("small",)),
    "fashion_medium_int8": Variant(("middle",), int8=True),
    "fashion_medium": Variant(("wide_b",), ("image", "mirrored"), half=True),
    "fashion_large": Variant(("wide_a", "wide_b"), ("image", "mirrored", "raised"), half=True),
    "fashion_legacy": Variant(("legacy",)),
}
