"""`tailq-profile predict`: from a profile on disk to predictions, and how they look."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from rich import box
from rich.console import Console
from rich.table import Table

from profiler.measure.unfinished import open_measured
from profiler.predict.predict import METHODS, Method, predict
from profiler.record.evidence import Evidence, evidence_of
from tailq.errors import BadRequest
from tailq.profile import Prediction


class Predicted(BaseModel):
    """Predictions for one variant and load, one a deadline.

    inferences: timed requests they rest on. quality: without a deadline.
    """

    model_config = ConfigDict(frozen=True)

    variant: str
    load: int
    inferences: int
    quality: float
    deadlines_s: tuple[float, ...]
    predictions: tuple[Prediction, ...]


class Predictions(BaseModel):
    """What `tailq-profile predict` says of a profile. requests: in a round."""

    model_config = ConfigDict(frozen=True)

    profile: str
    method: Method
    requests: int
    variants: tuple[Predicted, ...]


def predict_profile(
    profile: Path,
    deadlines_s: Sequence[float],
    *,
    requests: int | None,
    method: str,
    load: int | None,
    seed: int,
) -> Predictions:
    """Predict for every variant of the profile folder, finished or not, worst quality first.

    deadlines_s: none: those of the profile. requests: None: as many as samples. load: None: each.
    Raises ArtefactError, BadRequest if the profile does not allow what is asked.
    """
    opened = open_measured(profile)
    if not opened.profile.metric.additive:
        raise BadRequest(
            f"{profile}: its metric, {opened.profile.metric.name}, is no mean over answers, so "
            "rounds cannot be predicted from requests; tailq-profile show has what was measured"
        )
    evidence = evidence_of(opened.answers, opened.observations)
    loads = tuple(evidence.by_load) if load is None else (load,)
    if load is not None and load not in evidence.by_load:
        measured = ", ".join(map(str, evidence.by_load))
        raise BadRequest(f"--load {load}: {profile} was measured at load {measured}")
    known = _method(method)
    own = tuple(at.deadline_s for at in opened.profile.variants[0].loads[0].at_deadlines)
    asked, size = tuple(deadlines_s) or own, requests or evidence.samples
    return Predictions(
        profile=opened.profile.id,
        method=known,
        requests=size,
        variants=tuple(
            _of_variant(evidence, variant, at, asked, size, known, seed)
            for variant in sorted(range(len(evidence.variants)), key=lambda v: evidence.quality[v])
            for at in loads
        ),
    )


def _of_variant(
    evidence: Evidence,
    variant: int,
    load: int,
    deadlines_s: tuple[float, ...],
    requests: int,
    method: Method,
    seed: int,
) -> Predicted:
    return Predicted(
        variant=evidence.variants[variant],
        load=load,
        inferences=len(evidence.by_load[load].sample),
        quality=float(evidence.quality[variant]),
        deadlines_s=deadlines_s,
        predictions=predict(
            evidence, variant, load, deadlines_s, requests=requests, method=method, seed=seed
        ),
    )


def _method(name: str) -> Method:
    for method in METHODS:
        if method == name:
            return method
    raise BadRequest(f"--method {name!r}: there are {', '.join(METHODS)}")


def show(predictions: Predictions, console: Console) -> None:
    """Print a row a variant and load, and in it mean, 5 % and 1 % tail quality a deadline."""
    table = Table(
        title=f"quality of rounds of {predictions.requests} requests, predicted from profile "
        f"{predictions.profile} ({predictions.method})",
        caption="in %: mean, and what 95 % (± half of its 90 % confidence interval) and 99 % of "
        "rounds reach",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("variant", no_wrap=True)
    for heading in ("load", "infer-\nences", "without\ndeadline"):
        table.add_column(heading, justify="right", no_wrap=True)
    for deadline_s in predictions.variants[0].deadlines_s:
        table.add_column(
            f"within {deadline_s * 1000:g} ms\nmean  95 %         99 %", justify="right"
        )
    for each in predictions.variants:
        table.add_row(
            each.variant,
            str(each.load),
            str(each.inferences),
            f"{100 * each.quality:.2f}",
            *map(_cell, each.predictions),
        )
    console.print(table)


def _cell(prediction: Prediction) -> str:
    return (
        f"{100 * prediction.mean:5.2f} {100 * prediction.tail_5:5.2f} "
        f"±{100 * prediction.half_width:<5.2f} {100 * prediction.tail_1:5.2f}"
    )
