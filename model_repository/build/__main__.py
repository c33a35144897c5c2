"""Command line: python -m model_repository.build {all,train,export,table} --data DIR."""

import argparse
import sys
import tempfile
from pathlib import Path

import torch

from .config import write_config
from .data import load_test, load_training
from .errors import BuildError
from .export import export
from .table import measured, write_sums, write_table
from .train import checkpoint, train
from .variants import NETWORKS, VARIANTS

REPOSITORY = Path(__file__).resolve().parents[1]
STEPS = ("all", "train", "export", "table")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m model_repository.build",
        description="Build the fashion variants: train the networks, export the files, measure.",
    )
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("names", nargs="*", help="networks to train (again), or variants to export")
    parser.add_argument("--data", type=Path, required=True, help="folder of the four *-ubyte.gz")
    parser.add_argument(
        "--work",
        type=Path,
        default=Path(tempfile.gettempdir()) / "tailq-models",
        help="where trained weights are kept between steps",
    )
    parser.add_argument("--repository", type=Path, default=REPOSITORY, help="where files go")
    parser.add_argument("--threads", type=int, default=1, help="threads of the training")
    return parser.parse_intermixed_args()


def chosen(names: list[str], declared: list[str]) -> list[str]:
    """Return the names asked for, or all that are declared if none is."""
    for name in names:
        if name not in declared:
            raise BuildError(f"{name} is not one of: {', '.join(declared)}")
    return names or declared


def main() -> None:
    """Run one step, or all of them."""
    options = arguments()
    torch.set_num_threads(options.threads)
    if options.step == "all" and options.names:
        raise BuildError("the step all takes no names.")
    fit, held_out = load_training(options.data)
    if options.step in ("all", "train"):
        for name in chosen(options.names, list(NETWORKS)):
            # Asked for by name, a network is trained again; otherwise only where it is missing.
            if options.names or not checkpoint(options.work, name).exists():
                train(name, options.work, fit, held_out)
    if options.step in ("all", "export"):
        for name in chosen(options.names, list(VARIANTS)):
            export(name, options.work, options.repository, fit)
            write_config(name, options.repository)
        write_sums(options.repository)
    if options.step in ("all", "table"):
        test = load_test(options.data)
        rows = [measured(n, options.work, options.repository, held_out, test) for n in VARIANTS]
        write_table(rows, options.repository)
        for row in rows:
            print(row.text())


if __name__ == "__main__":
    try:
        main()
    except BuildError as error:
        sys.exit(f"error: {error}")
