"""Measured columns and profiles for tests, from the few figures a test is about."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from profiler.record.observations import Answers, Observations
from profiler.record.store import store
from profiler.record.summary import summarise
from tailq.profile import Convergence, DataSet, Metric, Profile, Server

VARIANTS = ("fast", "good")


def answers(correct: Sequence[Sequence[bool]]) -> Answers:
    """Answers of each variant (rows of `correct`) to the samples; all labels are 1."""
    right = np.array(correct, dtype=np.bool_)
    variants, samples = right.shape
    return Answers(
        variants=VARIANTS[:variants],
        variant=np.repeat(np.arange(variants, dtype=np.int32), samples),
        sample=np.tile(np.arange(samples, dtype=np.int32), variants),
        label=np.full(right.size, "1", dtype=object),
        answer=np.where(right.ravel(), "1", "0").astype(object),
        confidence=np.full(right.size, 0.9, dtype=np.float32),
        score=right.ravel().astype(np.float32),
    )


def observations(
    latency_s: Sequence[float],
    correct: Sequence[bool],
    round_: Sequence[int],
    *,
    variant: int = 0,
    load: int = 1,
    sample: Sequence[int] | None = None,
) -> Observations:
    """Timed requests of one variant at one load, a second apart; inf has failed."""
    latency = np.array(latency_s, dtype=np.float64)
    ok = np.isfinite(latency)
    n = latency.size
    return Observations(
        variants=VARIANTS,
        variant=np.full(n, variant, dtype=np.int32),
        sample=np.array(range(n) if sample is None else sample, dtype=np.int32),
        round=np.array(round_, dtype=np.int32),
        load=np.full(n, load, dtype=np.int32),
        rate=np.zeros(n),
        alone=np.zeros(n, dtype=np.bool_),
        sent_s=np.arange(n, dtype=np.float64),
        latency_s=latency,
        answer=np.where(ok, np.where(correct, "1", "0"), "").astype(object),
        confidence=np.where(ok, 0.9, 0.0).astype(np.float32),
        score=(np.array(correct, dtype=np.bool_) & ok).astype(np.float32),
        ok=ok,
    )


def stored(out: Path, measured: Answers, timed: Observations, *, deadline_s: float) -> Path:
    """Store a profile of the service `toy`, measured at load 1, in the folder `out`."""
    versions = {name: ("1", name) for name in VARIANTS}

    def describe(id_: str, files: dict[str, str]) -> Profile:
        return Profile(
            id=id_,
            service="toy",
            started=datetime(2026, 1, 1, tzinfo=UTC),
            finished=datetime(2026, 1, 2, tzinfo=UTC),
            dataset=DataSet(name="toy", samples=int(measured.sample.max()) + 1, sha256="0" * 64),
            server=Server(name="triton", version="2"),
            loads=(1,),
            stopped_by="budget",
            metric=Metric(task="classification", name="top-1", additive=True),
            convergence=(Convergence(rounds=1, inferences=len(timed), rjsd=None, half_width=None),),
            files=files,
            variants=summarise(measured, timed, [deadline_s], versions),
        )

    store(out, measured, timed, describe, force=False)
    return out
