"""Augmentation of a whole batch at once, each image with its own draw.

torchvision's random transforms draw once per call, so on a batch they would shift and erase
every image alike; called per image they cost more than the small networks' training step.
"""

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as vision  # type: ignore[import-untyped]


def shifted(pixels: Tensor, reach: int, generator: torch.Generator) -> Tensor:
    """Move each image of [n, 1, s, s] by up to `reach` pixels each way, filling with black."""
    count, _, side, _ = pixels.shape
    padded: Tensor = vision.pad(pixels, [reach])
    offsets = torch.randint(0, 2 * reach + 1, (2, count, 1), generator=generator)
    rows = (offsets[0] + torch.arange(side))[:, :, None]
    columns = (offsets[1] + torch.arange(side))[:, None, :]
    return padded[torch.arange(count)[:, None, None], 0, rows, columns][:, None]


def erased(pixels: Tensor, side: int, chance: float, generator: torch.Generator) -> Tensor:
    """Overwrite, with the given chance, one side x side square of each image with noise."""
    count, _, size, _ = pixels.shape
    centres = torch.randint(0, size, (2, count, 1), generator=generator)
    line = torch.arange(size)
    inside = (line >= centres - side // 2) & (line < centres - side // 2 + side)
    chosen = torch.rand(count, 1, 1, generator=generator) < chance
    mask = (inside[0][:, :, None] & inside[1][:, None, :] & chosen)[:, None]
    return torch.where(mask, torch.rand(pixels.shape, generator=generator), pixels)


def resized(pixels: Tensor, side: int) -> Tensor:
    """Return the batch at side x side pixels (for the cheap first epochs of a schedule)."""
    if pixels.shape[-1] == side:
        return pixels
    smaller: Tensor = vision.resize(pixels, [side, side])
    return smaller
