"""Limiting the instances of models: Triton loads them again with another count."""

import copy
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from profiler.errors import ModelError, TritonGone
from profiler.measure.triton import Triton

Config = dict[str, Any]


class Instances:
    """The instance counts of some models; close it, and they are configured as before."""

    def __init__(self, triton: Triton, models: Sequence[str]) -> None:
        """Take care of `models`: each is loaded once as it is, which shows that it can be done.

        Raises ModelError where Triton does not let clients load models, or a model not with its
        own configuration: nothing is changed then. Raises TritonGone.
        """
        self._triton = triton
        self._own = {name: triton.config(name) for name in models}
        self._loaded = dict(self._own)
        for name, config in self._own.items():
            triton.load(name, config)

    def limit(self, model: str, count: int) -> None:
        """From now on each instance group of `model` has `count`. Raises ModelError, TritonGone."""
        config = copy.deepcopy(self._own[model])
        for group in config.setdefault("instance_group", [{}]):
            group["count"] = count
        if self._loaded[model] != config:
            self._loaded[model] = config  # even where loading fails, it is no longer as it was
            self._triton.load(model, config)

    def close(self) -> None:
        """Load the models as they were. Raises ModelError naming those that cannot be.

        A Triton that is gone has forgotten the limits, so there is nothing to do.
        """
        failed = []
        with suppress(TritonGone):
            for name, own in self._own.items():
                try:
                    if self._loaded[name] != own:
                        self._triton.load(name, own)
                except ModelError as error:
                    failed.append(f"{name} ({error})")
        if failed:
            raise ModelError(
                "these models could not be loaded again with their own instances; unload and load "
                f"them: {', '.join(failed)}"
            )
