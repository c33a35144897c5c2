"""What a running gateway exports is what names.py says, and docs/metrics.md after it."""

import json
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest
from prometheus_client import Metric, parser
from prometheus_client.openmetrics import parser as openmetrics_parser

from gateway.clients import keys
from gateway.live import names
from tailq import artefact, probes
from tailq.calibration import Calibration
from tailq.plan import Cascade
from tailq.probes import Probes
from tailq.tier import ConfidenceSpread, RoundQuality, Served, TierTable
from tests.gateway.classes import answering, classifying
from tests.gateway.process import GatewayProcess
from tests.gateway.steady import SteadyStub
from tests.served import under_load
from tests.tables import promise, table, tier

KEY = keys.new()
OPEN_METRICS = "application/openmetrics-text; version=1.0.0"
# Nothing of these is there until what they count has happened.
ONCE_IT_HAPPENED = {
    names.BEST_EFFORT: "an answer is held to no promise",
    names.SHED: "a request is not tried",
    names.EJECTIONS: "an endpoint or a variant is left out",
}


def known(tiers: TierTable) -> TierTable:
    """With all that a profile tells of variants."""
    told = {
        "spread": ConfidenceSpread(upper=(0.5, 1.0), share=(0.5, 0.5)),
        "calibration": Calibration(
            confidence=(0.0, 1.0), quality=(0.0, 1.0), bins=(), error=0.0, calibrated_error=0.0
        ),
        "under_load": under_load(0.01),
    }
    served = classifying(tiers).served
    conditions = tiers.conditions.model_copy(update={"fingerprint": {"small": "of another"}})
    known: dict[str, Served] = {
        name: variant.model_copy(update=told) for name, variant in served.items()
    }
    return tiers.model_copy(update={"served": known, "conditions": conditions})


ROUNDS = RoundQuality(quality=(0.8, 0.85, 0.9, 0.92, 0.94, 0.97, 0.99))
CASCADE = Cascade(stages=("small", "large"), thresholds=(0.5,))
TABLE = known(
    table(
        tier("gold", 0.0, promise(CASCADE, 5.0).model_copy(update={"rounds": ROUNDS})),
        tier("fast", 0.1, promise("small", 5.0)),
    )
)


@pytest.fixture(scope="module", params=[1, 2], ids=["alone", "workers"])
def gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    """One with everything: clients, probes, feedback, a reload, of one process or of two."""
    folder: Path = tmp_path_factory.mktemp("names")
    samples = Probes(
        TABLE.conditions.profile,
        {"x": np.zeros((4, 1, 1), np.uint8)},
        {"x": "UINT8"},
        np.zeros(4, np.int64),
        {name: np.zeros(4, np.int64) for name in TABLE.variants},
    )
    probes.write(folder / "probes.npz", samples)
    digest = keys.digest(KEY.encode())
    (folder / "gateway.toml").write_text(
        f"[clients]\nanonymous = false\n[clients.named.shop]\nkeys = [{digest!r}]\n"
        f"[probes]\nfile = {str(folder / 'probes.npz')!r}\nper_s = 50\n"
    )
    options = f"--settings={folder / 'gateway.toml'}", f"--workers={request.param}"
    with (
        SteadyStub(answering(lambda _: (0,))) as triton,
        GatewayProcess(folder, TABLE, triton.address, *options) as gateway,
    ):
        ask(gateway)
        artefact.write(gateway.tiers, TABLE.model_copy(update={"default": "gold"}))
        with urlopen(Request(f"{gateway.admin}/v1/reload", b""), timeout=20):
            yield gateway


def ask(gateway: GatewayProcess) -> None:
    """A request that is answered as promised, one that is refused, and feedback on the first."""
    infer = f"http://{gateway.address}/v2/models/fashion/infer"
    headers = {"authorization": f"Bearer {KEY}", "tailq-tier": "gold", "tailq-request-id": "a"}
    with urlopen(Request(infer, b"{}", headers), timeout=20) as answer:
        assert answer.status == 200
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(infer, b"{}"), timeout=20)
    refused.value.close()
    told = json.dumps({"request_id": "a", "label": 0}).encode()
    url = f"http://{gateway.address}/v1/feedback"
    kind = {"content-type": "application/json"}
    with urlopen(Request(url, told, headers | kind), timeout=20) as answer:
        assert answer.status < 300


def scrape(gateway: GatewayProcess, accept: str = "") -> bytes:
    with urlopen(Request(f"{gateway.admin}/metrics", headers={"accept": accept})) as answer:
        content: bytes = answer.read()
    return content


Parse = Callable[[str], Iterable[Metric]]
plain: Parse = parser.text_string_to_metric_families
open_metrics: Parse = openmetrics_parser.text_string_to_metric_families


def exported(gateway: GatewayProcess) -> dict[str, Metric]:
    """Ours, once probes were answered."""
    while True:
        found = {one.name: one for one in plain(scrape(gateway).decode())}
        answers = found[names.PROBE_ANSWERS.name].samples
        if any(one.value for one in answers):
            return {name: one for name, one in found.items() if not name.startswith("process_")}


def test_every_metric_is_exported_and_no_other(gateway: GatewayProcess) -> None:
    """Of names.py, with its help and its type; a few only once there is something to count."""
    found = exported(gateway)
    specs = {spec.name: spec for spec in names.SPECS}
    assert found.keys() <= specs.keys()
    missing = {specs[name] for name in specs.keys() - found.keys()}
    assert missing <= ONCE_IT_HAPPENED.keys()
    for name, metric in found.items():
        assert (metric.type, metric.documentation) == (specs[name].kind, specs[name].text)
        assert metric.samples


def test_labels_are_as_named(gateway: GatewayProcess) -> None:
    """`service` and what names.py has, of the words that are known beforehand."""
    specs = {spec.name: spec for spec in names.SPECS}
    for name, metric in exported(gateway).items():
        labels = specs[name].labels
        wanted = {"service", *labels} if labels else set[str]()
        for sample in metric.samples:
            assert sample.labels.keys() - {"le"} == wanted, sample
            if labels:
                assert sample.labels["service"] == "fashion"
            assert sample.labels.get("tier", "") in {"", "gold", "fast"}
            assert sample.labels.get("variant", "") in {"", *TABLE.variants}
            assert sample.labels.get("source", "probe") in names.SOURCES


@pytest.mark.parametrize(
    ("counted", "foretold"), [(names.CONFIDENCE, names.CONFIDENCE_PROFILED)], ids=str
)
def test_what_is_counted_can_be_held_against_the_profile(
    gateway: GatewayProcess, counted: names.Spec, foretold: names.Spec
) -> None:
    """Both have the same series."""
    found = exported(gateway)
    series = [
        {frozenset(one.labels.items()) for one in found[spec.name].samples}
        for spec in (counted, foretold)
    ]
    assert series[0] == series[1]


def test_a_parser_of_openmetrics_reads_it(gateway: GatewayProcess) -> None:
    """Every family, where it is asked for; the same numbers."""
    specs = {spec.name for spec in names.SPECS}
    found = {one.name for one in open_metrics(scrape(gateway, OPEN_METRICS).decode())}
    assert {name for name in found if not name.startswith("process_")} <= specs
    assert names.ROUND.name in found


def test_prometheus_own_linter_reads_it(gateway: GatewayProcess) -> None:
    """It finds nothing to complain of."""
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=scrape(gateway), capture_output=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


@pytest.mark.parametrize("spec", names.SPECS, ids=lambda spec: spec.name)
def test_names_follow_the_conventions(spec: names.Spec) -> None:
    """Gauges say how they are merged, others add up; units are base units, and in the name."""
    assert (spec.rule is not None) == (spec.kind == "gauge")
    assert spec.name.startswith("tailq_")
    assert not spec.name.endswith(("_total", "_count", "_sum", "_bucket"))
    assert spec.text.endswith(".")
    assert len(set(spec.labels)) == len(spec.labels)
    assert "service" not in spec.labels


def test_no_name_is_given_twice() -> None:
    """Each metric has one line in names.py."""
    assert len({spec.name for spec in names.SPECS}) == len(names.SPECS)
