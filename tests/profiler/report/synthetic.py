"""A profile as a real one looks: seven variants, three loads, bursts of lateness, all sections."""

from datetime import UTC, datetime

import numpy as np

from profiler.record.evidence import Evidence, Timed
from profiler.record.summary import quality_of_rounds
from profiler.report.facts import Facts
from tailq.calibration import Calibration, ReliabilityBin
from tailq.load import LatencyQuantile, LatencyUnderLoad
from tailq.plan import Cascade, Plan, Rescue, Single
from tailq.profile import (
    Convergence,
    DataSet,
    Metric,
    Prediction,
    Profile,
    QualityAtDeadline,
    Server,
    VariantAtLoad,
    VariantProfile,
)
from tailq.quality import tail
from tailq.sweep import (
    Attribution,
    Cell,
    CellAtDeadline,
    CriticalQuality,
    Factor,
    Level,
    Share,
    Source,
    Sweep,
    SweptVariant,
)
from tailq.tier import (
    Basis,
    Conditions,
    Limit,
    NotOffered,
    Option,
    Promise,
    Reference,
    Stop,
    Tier,
    TierTable,
)

# Quality, device time in seconds.
FAMILY = {
    "fashion_large": (0.941, 0.018),
    "fashion_medium": (0.938, 0.007),
    "fashion_medium_int8": (0.933, 0.0021),
    "fashion_small": (0.926, 0.0015),
    "fashion_tiny": (0.907, 0.0011),
    "fashion_nano": (0.862, 0.0009),
    "fashion_legacy": (0.889, 0.0045),
}
DEADLINES_S = (0.025, 0.05, 0.1)
LOADS = (1, 2, 4)
_SAMPLES, _ROUNDS, _PER_ROUND = 1000, 40, 32


def evidence(family: dict[str, tuple[float, float]] = FAMILY, seed: int = 0) -> Evidence:
    """What was measured: harder samples are got wrong by more variants; some rounds are slow."""
    rng = np.random.default_rng(seed)
    hardness = rng.random(_SAMPLES)[:, None]
    quality, service = (np.array(column) for column in zip(*family.values(), strict=True))
    score = (hardness + rng.normal(0, 0.01, (_SAMPLES, len(family))) < quality).astype(float)
    confidence = np.clip(1.05 - 0.5 * hardness**6 + rng.normal(0, 0.04, score.shape), 0.2, 1.0)
    by_load = {}
    for load in LOADS:
        rows = _ROUNDS * _PER_ROUND
        slow = np.repeat(rng.random(_ROUNDS) < 0.1, _PER_ROUND)[:, None]
        queue = (load - 1) * rng.gamma(2, service.mean() / 2, (rows, len(family)))
        noise = rng.lognormal(0, 0.15, (rows, len(family)))
        latency = (service * noise + queue + 0.0004) * np.where(slow, 1.8, 1.0)
        by_load[load] = Timed(
            round=np.repeat(np.arange(_ROUNDS), _PER_ROUND),
            sample=rng.integers(0, _SAMPLES, rows),
            sent_s=np.cumsum(latency, axis=0),
            latency_s=latency,
        )
    return Evidence(tuple(family), score, confidence, service, by_load)


def _variant(seen: Evidence, index: int) -> VariantProfile:
    name, service = seen.variants[index], float(seen.service_s[index])
    edges = np.linspace(0.4, 1.0, 9)
    middles = [float(m) for m in (edges[1:] + edges[:-1]) / 2]
    return VariantProfile(
        name=name,
        version="1",
        fingerprint=f"{index:02d}" + "c0ffee" * 5,
        quality=float(seen.quality[index]),
        service_s=service,
        loads=tuple(_at_load(seen, index, load) for load in seen.by_load),
        calibration=Calibration(
            confidence=tuple(middles),
            quality=tuple(max(0.0, m - 0.3 * (1 - m)) for m in middles),
            bins=tuple(
                ReliabilityBin(samples=10 + 2 * at**3, confidence=m, quality=m - 0.32 * (1 - m))
                for at, m in enumerate(middles)
            ),
            error=0.0312,
            calibrated_error=0.0087,
        ),
        under_load=LatencyUnderLoad(
            outstanding_s=tuple(0.005 * knot for knot in range(10)),
            quantiles=tuple(
                LatencyQuantile(
                    level=level,
                    latency_s=tuple(
                        service * (1 + spread) + 0.005 * knot * (0.5 + spread) for knot in range(10)
                    ),
                    exceeded=exceeded,
                )
                for level, spread, exceeded in (
                    (0.5, 0.1, 0.497),
                    (0.9, 0.5, 0.104),
                    (0.99, 1, 0.013),
                )
            ),
        ),
    )


def _at_load(seen: Evidence, index: int, load: int) -> VariantAtLoad:
    latency = seen.by_load[load].latency_s[:, index]
    rounds = quality_of_rounds(seen, index, load, list(DEADLINES_S))
    figures = zip(
        DEADLINES_S,
        rounds.mean(axis=0),
        *(tail(rounds, p) for p in (0.05, 0.01, 0.0)),
        strict=True,
    )
    return VariantAtLoad(
        load=load,
        rounds=_ROUNDS,
        requests=len(latency),
        p50_s=float(np.quantile(latency, 0.5)),
        p99_s=float(np.quantile(latency, 0.99)),
        at_deadlines=tuple(
            QualityAtDeadline(
                deadline_s=d,
                quality=mean,
                tail_5=tail_5,
                tail_1=tail_1,
                worst=worst,
                predicted=Prediction(
                    requests=1000, mean=mean, tail_5=tail_5, tail_1=tail_1, half_width=0.0042
                ),
            )
            for d, mean, tail_5, tail_1, worst in figures
        ),
    )


def profile(seen: Evidence) -> Profile:
    """The summary of what was measured."""
    return Profile(
        id="0123456789abcdef",
        service="fashion",
        started=datetime(2026, 11, 23, 7, 0, tzinfo=UTC),
        finished=datetime(2026, 11, 23, 9, 4, tzinfo=UTC),
        dataset=DataSet(name="fashion-mnist", samples=seen.samples, sha256="ab" * 32),
        server=Server(name="triton", version="2.58.0"),
        loads=LOADS,
        metric=Metric(task="classification", name="top-1", additive=True),
        stopped_by="budget",
        convergence=tuple(
            Convergence(
                rounds=rounds,
                inferences=rounds * 32 * 21,
                rjsd=None if rounds < 6 else 0.9 / rounds**0.7,
                half_width=None if rounds < 10 else 0.08 / rounds**0.5,
            )
            for rounds in range(2, 200, 4)
        ),
        files={},
        variants=tuple(_variant(seen, index) for index in range(len(seen.variants))),
    )


def _promise(plan: Plan, deadline_s: float, quality: float) -> Promise:
    return Promise(
        deadline_s=deadline_s,
        plan=plan,
        quality=quality,
        expected_quality=quality + 0.0123,
        expected_on_time=0.9987,
        tail_quality=quality - 0.0021,
        p50_s=deadline_s / 9,
        p99_s=deadline_s / 2,
        mean_s=deadline_s / 7,
        cost=0.00345,
        asks=1.0 if isinstance(plan, Single) else 1.18,
        basis=Basis(samples=1000, load=4, timed=1280, lost_at_most=0.0077, slack=0.0034),
        options=(_option(plan), _option(Single(variant="fashion_large"))),
    )


def _option(plan: Plan) -> Option:
    """Nine requests in ten are answered by its first variant."""
    qualities = (0.9,) * len(plan.variants)
    shares = (1.0,) if isinstance(plan, Single) else (0.9, 0.1)
    stops = tuple(Stop(share=share, quality=qualities) for share in shares)
    return Option(plan=plan, stops=stops, work_s=0.00234)


def table() -> TierTable:
    """A tier table with a plan of each kind that is drawn differently."""
    cascade = Cascade(stages=("fashion_small", "fashion_medium"), thresholds=(0.8,))
    rescue = Rescue(primary="fashion_medium", rescuer="fashion_tiny", after_s=0.02)
    return TierTable(
        service="fashion",
        metric="top-1",
        created=datetime(2026, 11, 23, 9, 10, tzinfo=UTC),
        confidence=0.95,
        method="ltt",
        reference=Reference(variant="fashion_large", quality=0.941),
        conditions=Conditions(
            profile="0123456789abcdef",
            dataset="0" * 64,
            measured=datetime(2026, 11, 23, 9, 4, tzinfo=UTC),
            max_outstanding=4,
            fingerprint={},
        ),
        default="silver",
        tiers=(
            Tier(
                name="gold",
                limit=Limit(value=0.01),
                tolerance=0.01,
                objective="response-time",
                promises=(_promise(Single(variant="fashion_medium"), 0.1, 0.921),),
            ),
            Tier(
                name="silver",
                limit=Limit(kind="absolute", value=0.02),
                tolerance=0.02,
                objective="response-time",
                percentile=95,
                promises=(_promise(rescue, 0.05, 0.902), _promise(cascade, 0.1, 0.915)),
            ),
            Tier(
                name="bulk",
                limit=Limit(kind="floor", value=0.85),
                tolerance=0.09,
                objective="cost",
                promises=(_promise(Single(variant="fashion_tiny"), 0.1, 0.878),),
            ),
        ),
        not_offered=(
            NotOffered(
                name="dream",
                deadline_s=0.005,
                why="fashion_medium_int8 comes nearest: it loses 12.31 % to lateness where "
                "0.94 % is allowed",
            ),
        ),
    )


def sweep() -> Sweep:
    """A sweep of two factors at two deadlines."""
    levels = {"concurrency": ("1", "4"), "delay-ms": ("0", "20")}
    deadlines = (0.025, 0.05)
    quality = (0.93, 0.88, 0.71, 0.52)
    shares: tuple[tuple[Source, tuple[str, ...], float], ...] = (
        ("factor", ("concurrency",), 0.55),
        ("factor", ("delay-ms",), 0.25),
        ("interaction", ("concurrency", "delay-ms"), 0.11),
        ("residual", (), 0.06),
        ("round", (), 0.03),
    )
    combinations = [(c, d) for c in levels["concurrency"] for d in levels["delay-ms"]]
    return Sweep(
        started=datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
        finished=datetime(2026, 11, 23, 10, 30, tzinfo=UTC),
        dataset=DataSet(name="fashion-mnist", samples=1000, sha256="ab" * 32),
        server=Server(name="triton", version="2.58.0"),
        metric=Metric(task="classification", name="top-1", additive=True),
        variants=(SweptVariant(name="fashion_small", version="1", fingerprint="x", quality=0.926),),
        deadlines_s=deadlines,
        factors=tuple(
            Factor(
                name=name,
                levels=tuple(
                    Level(
                        value=value,
                        p50_s=0.004 * (1 + at),
                        p99_s=0.02 * (1 + at),
                        at_deadlines=tuple(
                            CriticalQuality(deadline_s=d, quality=0.9, tail_5=0.82, worst=0.7)
                            for d in deadlines
                        ),
                    )
                    for at, value in enumerate(values)
                ),
            )
            for name, values in levels.items()
        ),
        design="full",
        strength=2,
        rounds=3,
        requests_per_round=64,
        seed=0,
        stopped_by="rounds",
        cells=tuple(
            Cell(
                levels={"concurrency": c, "delay-ms": d},
                requests=128,
                failed=0,
                p50_s=0.004,
                p99_s=0.02,
                at_deadlines=tuple(
                    CellAtDeadline(
                        deadline_s=deadline, quality=q, tail_5=q, worst=q, by_round=(q, q, q)
                    )
                    for deadline in deadlines
                ),
            )
            for (c, d), q in zip(combinations, quality, strict=True)
        ),
        confidence=0.9,
        attribution=tuple(
            Attribution(
                deadline_s=deadline,
                mean=0.76,
                lowest=0.52,
                highest=0.93,
                deviation=0.16,
                shares=tuple(
                    Share(
                        source=source,
                        factors=factors,
                        share=share,
                        low=max(0.0, share - 0.05),
                        high=share + 0.05,
                    )
                    for source, factors, share in shares
                ),
            )
            for deadline in deadlines
        ),
        notes=("The network's delay is simulated between client and Triton.",),
    )


def facts(**parts: object) -> Facts:
    """A profile, with what was made of it in `parts`: table, sweep."""
    seen = evidence()
    return Facts(profile(seen), seen, **parts)  # type: ignore[arg-type]
