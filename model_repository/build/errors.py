"""The one error that the builder shows to a person, as a sentence and without a traceback."""


class BuildError(Exception):
    """Something outside the code is wrong (a missing file, a step not yet run); says what to do."""
