"""Where commands print to."""

import sys

from rich.console import Console

from tailq.profile import Profile

_FILE_WIDTH = 200


def console() -> Console:
    """Standard output; where there is no terminal to be as wide as, as wide as tables need."""
    return Console(width=None if sys.stdout.isatty() else _FILE_WIDTH)


def print_profile(profile: Profile, *, json_: bool) -> None:
    """Print the summary of a profile, as a table or as JSON."""
    from profiler.record.show import as_json, show

    if json_:
        print(as_json(profile))
    else:
        show(profile, console())
