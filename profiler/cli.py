"""The command line of the profiler: `tailq-profile`."""

import sys

import typer

from profiler.commands.check import check
from profiler.commands.compare import compare
from profiler.commands.dataset import dataset
from profiler.commands.predict import predict
from profiler.commands.probes import probes
from profiler.commands.report import report
from profiler.commands.run import run
from profiler.commands.show import show
from profiler.commands.sweep import sweep
from profiler.commands.tiers import tiers
from profiler.errors import Interrupted, TritonGone
from tailq.errors import TailqError

_EXIT_BAD_INPUT = 2
_EXIT_TRITON_GONE = 3

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Measure the variants of a model on Triton, and what can be promised of them.",
    epilog=(
        "Exit codes: 0 done; 1 what tiers, check or compare found is not good; 2 something given "
        "(an option, a file, a model, the data, the disk) is not as it must be; 3 Triton cannot "
        "be reached or went away; 130 or 143 stopped by Ctrl-C or SIGTERM. After 3, 130 and 143 "
        "the same command resumes."
    ),
)
for command in (run, sweep, tiers, report, predict, probes, show, check, compare, dataset):
    app.command()(command)


def main() -> None:
    """Run the command line; a user's error is one line on stderr, never a traceback."""
    try:
        app()
    except TailqError as error:
        print(f"tailq-profile: {error}", file=sys.stderr)
        sys.exit(_exit_code(error))


def _exit_code(error: TailqError) -> int:
    if isinstance(error, Interrupted):
        return 128 + error.signal
    return _EXIT_TRITON_GONE if isinstance(error, TritonGone) else _EXIT_BAD_INPUT


if __name__ == "__main__":
    main()
