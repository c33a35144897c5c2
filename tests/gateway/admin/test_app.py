"""The admin listener of a gateway of one process."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import jsonschema
import pytest

from gateway.clients import keys
from tailq import artefact
from tests.gateway.process import GatewayProcess
from tests.gateway.running import TABLE
from tests.gateway.steady import SteadyStub
from tests.tables import promise, table, tier

KEY = keys.new()
SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"


def settings(*tiers: str) -> str:
    digest = keys.digest(KEY.encode())
    return f"[clients.named.shop]\nkeys = [{digest!r}]\ntiers = {json.dumps(tiers)}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("admin")


@pytest.fixture(scope="module")
def gateway(folder: Path) -> Iterator[GatewayProcess]:
    file = folder / "gateway.toml"
    file.write_text(settings("gold"))
    with (
        SteadyStub() as triton,
        GatewayProcess(folder, TABLE, triton.address, f"--settings={file}") as gateway,
    ):
        yield gateway


def ask(url: str, body: bytes | None = None, **headers: str) -> tuple[int, Any]:
    """Status and content; a POST if there is a body."""
    try:
        with urlopen(Request(url, body, headers), timeout=20) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


def infer(gateway: GatewayProcess, tier: str) -> int:
    """Status of a request with the key."""
    url = f"http://{gateway.address}/v2/models/fashion/infer"
    headers = {"authorization": f"Bearer {KEY}", "tailq-tier": tier}
    return ask(url, b"{}", **headers)[0]


def test_metrics_are_there_and_not_with_the_data(gateway: GatewayProcess) -> None:
    """Ours and the process's, as text for Prometheus."""
    with urlopen(f"{gateway.admin}/metrics", timeout=20) as answer:
        assert answer.headers["content-type"].startswith("text/plain")
        text = answer.read().decode()
    assert "tailq_promise_ratio{" in text
    assert "process_resident_memory_bytes" in text
    assert "tailq_workers 1.0" in text
    assert ask(f"http://{gateway.address}/metrics")[0] == 404
    assert ask(f"http://{gateway.address}/v1/state")[0] == 404


def test_prometheus_gets_the_format_it_asks_for(gateway: GatewayProcess) -> None:
    """OpenMetrics, in which traces can be shown."""
    kind = "application/openmetrics-text"
    request = Request(f"{gateway.admin}/metrics", headers={"accept": f"{kind}; version=1.0.0"})
    with urlopen(request, timeout=20) as answer:
        assert answer.headers["content-type"].startswith(f"{kind}; version=1.0.0")
        assert answer.read().endswith(b"# EOF\n")


def test_the_view_tells_how_promises_are_kept(gateway: GatewayProcess) -> None:
    """The same numbers as /metrics, in the shape that its schema has."""
    assert infer(gateway, "gold") == 200
    status, view = ask(f"{gateway.admin}/v1/live")
    assert status == 200
    schema = json.loads((SCHEMAS / "live.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(view)
    (gold,) = (tier for tier in view["tiers"] if tier["name"] == "gold")
    metrics = gateway.metrics()
    labels = 'service="fashion",source="expected",tier="gold"'
    judged = metrics[f"tailq_quality_judged_total{{{labels}}}"]
    delivered = metrics[f"tailq_quality_delivered_total{{{labels}}}"]
    assert (
        gold["since_start"]["judged"]["expected"] == judged == gold["window"]["judged"]["expected"]
    )
    assert gold["since_start"]["delivered"]["expected"] == delivered / judged
    assert gold["window"]["by_outcome"]["on_time"] == judged
    assert gold["verdict"] in ("kept", "below")
    assert view["profile"] == TABLE.conditions.profile


def test_other_sites_are_kept_out(gateway: GatewayProcess) -> None:
    """Under a name of theirs, and from their pages."""
    assert ask(f"{gateway.admin}/v1/state", host="evil.example")[0] == 421
    assert ask(f"{gateway.admin}/v1/reload", b"", origin="http://evil.example")[0] == 403


def test_state_tells_how_things_stand(gateway: GatewayProcess) -> None:
    """Tiers, endpoints, load and limits; no secret."""
    status, state = ask(f"{gateway.admin}/v1/state")
    assert status == 200
    assert state["service"] == "fashion"
    assert state["tiers"]["profile"] == TABLE.conditions.profile
    assert state["tiers"]["offered"].keys() == {"gold", "fast", "tight"}
    (worker,) = state["workers"]
    assert worker["pid"] == gateway.pid
    assert worker["in_flight"] == {"large": 0, "small": 0}
    assert worker["endpoints"][0]["up"] is not False
    assert keys.digest(KEY.encode()) not in json.dumps(state)


def test_its_processes_are_well(gateway: GatewayProcess) -> None:
    """Whatever Triton does."""
    assert ask(f"{gateway.admin}/healthz") == (200, {"ok": True, "why": None})


def test_a_reload_is_told_what_came_of_it(gateway: GatewayProcess, folder: Path) -> None:
    """Each file; 422 if one was refused, and the old is in use."""
    url, tiers = f"{gateway.admin}/v1/reload", folder / "tiers.json"
    status, content = ask(url, b"")
    assert status == 200
    assert [each["result"] for each in content["files"]] == ["unchanged", "unchanged"]
    tiers.write_bytes(b"{}")
    status, content = ask(url, b"")
    assert status == 422
    assert content["files"][0]["result"] == "refused"
    assert str(tiers) in content["files"][0]["why"]
    artefact.write(tiers, table(tier("fast", 0.1, promise("small", 4.0))))
    status, content = ask(url, b"")
    assert "no tier is called 'gold'" in content["files"][0]["why"]  # a client is allowed it
    artefact.write(tiers, TABLE)
    assert ask(url, b"")[0] == 200


def test_clients_are_reloaded_from_the_settings(gateway: GatewayProcess, folder: Path) -> None:
    """What a key allows changes while it serves; a mistake leaves it as it was."""
    url, file = f"{gateway.admin}/v1/reload", folder / "gateway.toml"
    assert (infer(gateway, "gold"), infer(gateway, "fast")) == (200, 403)
    file.write_text(settings("fast"))
    assert ask(url, b"")[0] == 200
    assert (infer(gateway, "gold"), infer(gateway, "fast")) == (403, 200)
    file.write_text(settings("fast", "silver"))
    status, content = ask(url, b"")
    assert status == 422
    assert "'silver'" in content["files"][1]["why"]
    assert infer(gateway, "fast") == 200
    refused = gateway.metrics()[
        'tailq_client_refusals_total{client="shop",reason="tier",service="fashion"}'
    ]
    assert refused == 2


def test_only_post_reloads(gateway: GatewayProcess) -> None:
    """Whoever looks changes nothing."""
    with pytest.raises(HTTPError) as caught:
        urlopen(f"{gateway.admin}/v1/reload", timeout=20)
    with caught.value as error:
        assert error.code == 405
