"""A worker process, asked by itself."""

from typing import Any, cast

import pytest

from gateway.workers.worker import Worker


@pytest.mark.parametrize("do", ["put", "state", "families", "feedback"])
async def test_one_that_could_not_start_is_in_nobodys_way(do: str) -> None:
    """It is about to be ended; a reload that comes between is not refused for it."""
    assert await Worker(-1, cast("Any", None)).handle(do, {}) == {}
