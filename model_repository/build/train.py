"""Training one network, seeded, watching only the held-out images."""

import io
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from . import augment
from .data import SIDE, Images
from .errors import BuildError
from .files import write_atomically
from .variants import NETWORKS, Recipe

EVALUATION_BATCH = 500
HARD_SHARE = 0.1  # weight of the true class beside the teachers' probabilities
ERASED_SIDE = 10  # pixels of 28


def checkpoint(work: Path, name: str) -> Path:
    """Return where the network of that name keeps its weights."""
    return work / f"{name}.pt"


def load(work: Path, name: str) -> nn.Module:
    """Return the trained network of that name, ready to evaluate."""
    path = checkpoint(work, name)
    if not path.exists():
        raise BuildError(f"{path} is not there: train the network {name} first.")
    network = NETWORKS[name].make()
    network.load_state_dict(torch.load(path, weights_only=True))
    return network.eval()


@torch.inference_mode()
def probabilities(network: nn.Module, pixels: Tensor) -> Tensor:
    """Return the network's probabilities, float32 [n, 10], computed in bfloat16."""
    rows = []
    with torch.autocast("cpu", torch.bfloat16):
        for part in torch.split(pixels, EVALUATION_BATCH):
            logits = network(part.to(memory_format=torch.channels_last))
            rows.append(functional.softmax(logits.float(), 1))
    return torch.cat(rows)


def accuracy(network: nn.Module, images: Images) -> float:
    """Return the share of images, 0 to 1, whose most probable class is the true one."""
    chosen = probabilities(network.eval(), images.pixels).argmax(1)
    return float((chosen == images.classes).float().mean())


def teach(work: Path, names: tuple[str, ...], fit: Images) -> Tensor:
    """Return the teachers' mean probabilities for each image and its mirror, [2, n, 10]."""
    cache = work / f"taught-by-{'-'.join(names)}.pt"
    if cache.exists():
        cached: Tensor = torch.load(cache, weights_only=True)
        return cached
    views = (fit.pixels, fit.pixels.flip(3))
    networks = [load(work, name).to(memory_format=torch.channels_last) for name in names]
    taught = torch.stack(
        [torch.stack([probabilities(net, view) for net in networks]).mean(0) for view in views]
    )
    _save(cache, taught)
    return taught


def _save(path: Path, content: object) -> None:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_atomically(path, buffer.getvalue())


def _targets(recipe: Recipe, classes: Tensor, taught: Tensor | None) -> Tensor:
    """Return what the loss compares with, [n, 10]: smoothed classes, or the teachers' view."""
    hard = functional.one_hot(classes, 10).float()
    if taught is not None:
        return HARD_SHARE * hard + (1 - HARD_SHARE) * taught
    return hard * (1 - recipe.smoothing) + recipe.smoothing / 10


def _augmented(
    pixels: Tensor, mirrored: Tensor, recipe: Recipe, generator: torch.Generator
) -> Tensor:
    """Return the batch [n, 1, 28, 28], mirrored where bool [n] says so, then shifted and erased."""
    pixels = torch.where(mirrored[:, None, None, None], pixels.flip(3), pixels)
    if recipe.reach:
        pixels = augment.shifted(pixels, recipe.reach, generator)
    if recipe.erase:
        pixels = augment.erased(pixels, ERASED_SIDE, recipe.erase, generator)
    return pixels


def train(name: str, work: Path, fit: Images, held_out: Images) -> None:
    """Train one network of the family and keep its weights under `work`."""
    recipe = NETWORKS[name].recipe
    torch.manual_seed(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)
    network = NETWORKS[name].make().to(memory_format=torch.channels_last)
    if recipe.begin:
        network.load_state_dict(load(work, recipe.begin).state_dict())
    taught = teach(work, recipe.teachers, fit) if recipe.teachers else None

    sides = [side for epochs, side in recipe.phases for _ in range(epochs)]
    steps = len(fit) // recipe.batch
    optimizer = torch.optim.SGD(
        network.parameters(), recipe.rate, 0.9, weight_decay=recipe.decay, nesterov=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.rate, total_steps=len(sides) * steps, pct_start=0.2,
        anneal_strategy="linear", cycle_momentum=False, final_div_factor=1e3,
    )  # fmt: skip
    for epoch, side in enumerate(sides, 1):
        start, total = time.monotonic(), 0.0
        network.train()
        order = torch.randperm(len(fit), generator=generator)[: steps * recipe.batch]
        for chosen in torch.split(order, recipe.batch):
            mirrored = torch.rand(len(chosen), generator=generator) < 0.5
            pixels = _augmented(fit.pixels[chosen], mirrored, recipe, generator)
            pixels = augment.resized(pixels, side).to(memory_format=torch.channels_last)
            seen = None if taught is None else taught[mirrored.long(), chosen]
            with torch.autocast("cpu", torch.bfloat16):
                logits = network(pixels)
            loss = functional.cross_entropy(
                logits.float(), _targets(recipe, fit.classes[chosen], seen)
            )
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            total += loss.item()
        _save(work / f"{name}.partial.pt", network.state_dict())
        score = accuracy(network, held_out) if side == SIDE else float("nan")
        print(
            f"{name} epoch {epoch}/{len(sides)} side {side} loss {total / steps:.4f} "
            f"held-out {score:.4f} {time.monotonic() - start:.0f} s",
            flush=True,
        )
    _save(checkpoint(work, name), network.state_dict())
