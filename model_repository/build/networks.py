"""The network shapes. Each takes raw pixels in [0, 1], [n, 1, 28, 28], and gives logits [n, 10]."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from .data import CLASSES, MEAN, STD

Stage = tuple[int, int, int]  # channels, residual blocks, stride of the first block


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al., 2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = _conv(inputs, outputs, 3, stride)
        self.second = _conv(outputs, outputs, 3)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else _conv(inputs, outputs, 1, stride)
        norm = self.second[1]
        assert isinstance(norm, nn.BatchNorm2d)
        nn.init.zeros_(norm.weight)  # every block starts as its shortcut: steadier first epochs

    def forward(self, x: Tensor) -> Tensor:
        """Return features [n, outputs, h, w] for features [n, inputs, h * stride, w * stride]."""
        hidden = functional.relu(self.first(x), inplace=True)
        return functional.relu(self.second(hidden) + self.shortcut(x), inplace=True)


class Residual(nn.Module):
    """A residual network; global average pooling lets it train at other image sizes too."""

    def __init__(self, stem: int, stages: tuple[Stage, ...]) -> None:
        super().__init__()
        layers: list[nn.Module] = [_conv(1, stem, 3), nn.ReLU(inplace=True)]
        channels = stem
        for width, blocks, stride in stages:
            for index in range(blocks):
                layers.append(Block(channels, width, stride if index == 0 else 1))
                channels = width
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(channels, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits [n, 10] for pixels [n, 1, s, s]."""
        features = functional.adaptive_avg_pool2d(self.body((x - MEAN) / STD), 1).flatten(1)
        logits: Tensor = self.head(features)
        return logits


class Strided(nn.Module):
    """A few plain strided convolutions, then one linear layer over a `grid` x `grid` average."""

    def __init__(self, convolutions: tuple[tuple[int, int], ...], grid: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels, side = 1, 28
        for width, stride in convolutions:
            layers += [_conv(channels, width, 3, stride), nn.ReLU(inplace=True)]
            channels, side = width, (side + stride - 1) // stride
        self.body = nn.Sequential(*layers, nn.AvgPool2d(side // grid), nn.Flatten())
        self.head = nn.Linear(channels * grid * grid, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits [n, 10] for pixels [n, 1, 28, 28]."""
        logits: Tensor = self.head(self.body((x - MEAN) / STD))
        return logits


class Legacy(nn.Module):
    """The way of the nineties: tanh, 5x5 convolutions on an enlarged image, no normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.grow = nn.Upsample(scale_factor=2.0, mode="nearest")
        widths = (1, 32, 32, 64, 64)
        convolutions = [nn.Conv2d(a, b, 5, padding=2) for a, b in pairwise(widths)]
        self.body = nn.Sequential(
            convolutions[0], nn.Tanh(), convolutions[1], nn.Tanh(), nn.AvgPool2d(2),
            convolutions[2], nn.Tanh(), nn.AvgPool2d(2),
            convolutions[3], nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(),
        )  # fmt: skip
        self.head = nn.Sequential(nn.Linear(64 * 49, 120), nn.Tanh(), nn.Linear(120, CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits [n, 10] for pixels [n, 1, 28, 28]."""
        logits: Tensor = self.head(self.body(self.grow((x - MEAN) / STD)))
        return logits


def _raised(x: Tensor) -> Tensor:
    """Move the image up by one pixel, with black below."""
    return functional.pad(x, (0, 0, 0, 1))[:, :, 1:]


VIEWS: dict[str, Callable[[Tensor], Tensor]] = {
    "image": lambda x: x,
    "mirrored": lambda x: x.flip(3),
    "raised": _raised,
}


class Averaged(nn.Module):
    """Log of the mean probability over member networks, and over views of the image."""

    def __init__(self, members: list[nn.Module], views: tuple[str, ...]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.views = views

    def forward(self, x: Tensor) -> Tensor:
        """Return log-probabilities [n, 10] for pixels [n, 1, 28, 28]; they are logits too."""
        # The views are joined into one batch, so that each member's weights are exported once.
        batch = torch.cat([VIEWS[view](x) for view in self.views])
        shape = (len(self.views), -1, CLASSES)
        votes = [functional.softmax(member(batch), 1).reshape(shape) for member in self.members]
        return torch.cat(votes).mean(0).log()
