"""Labels with two worker processes: told to either of them, and asked for by both."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.workers.feedback import ask_siblings
from tailq import artefact, probes
from tests.gateway.classes import answering, classifying
from tests.gateway.client import Client, infer
from tests.gateway.probes.samples import CLASSES, COUNT
from tests.gateway.probes.samples import probes as some_probes
from tests.gateway.process import GatewayProcess
from tests.gateway.steady import SteadyStub
from tests.gateway.test_cli import run
from tests.gateway.workers.test_workers import TABLE as WITHOUT_CLASSES
from tests.gateway.workers.test_workers import until

TABLE = classifying(WITHOUT_CLASSES)


@pytest.fixture
def triton() -> Iterator[SteadyStub]:
    with SteadyStub(answering(lambda _: (3,))) as stub:
        yield stub


async def tell(client: Client, told: list[dict[str, Any]]) -> Counter[str]:
    body = json.dumps({"feedback": told}).encode()
    got = await client.ask(infer(body=body, path="/v1/feedback", tier=None))
    assert got.status == 200
    return Counter({result: count for result, count in got.json["counts"].items() if count})


async def test_every_label_is_taken_once(triton: SteadyStub, tmp_path: Path) -> None:
    """Whichever worker answered, whichever is told, and though several tell at the same time."""
    with GatewayProcess(tmp_path, TABLE, triton.address, "--workers=2") as gateway:
        clients = [await Client.connect(gateway.port) for _ in range(16)]
        named: list[str] = []
        for number in range(20):
            for place, client in enumerate(clients):
                own = [f"tailq-request-id: own-{number}-{place}"] if place % 2 else []
                named.append((await client.ask(infer(*own))).headers["tailq-request-id"])
        prefixes = {name.partition("-")[0] for name in named} - {"own"}
        assert len(prefixes) == 2  # both have answered
        told = [{"request_id": name, "label": 3} for name in named]
        told.append({"request_id": "never", "label": 3})
        results = await asyncio.gather(*(tell(client, told) for client in clients[:4]))
        total = sum(results, Counter[str]())
        assert total == {"taken": 320, "repeated": 3 * 320, "unknown": 4}
        metrics = await asyncio.to_thread(gateway.metrics)
        for result, count in total.items():
            assert metrics[f'tailq_feedback_total{{result="{result}",service="fashion"}}'] == count
        judged = 'tailq_quality_judged_total{service="fashion",source="feedback",tier="fast"}'
        assert metrics[judged] == 320
        assert metrics[judged.replace("judged", "delivered")] == 320
        late = [{"request_id": f"{prefix}-ffffff", "label": 3} for prefix in sorted(prefixes)]
        assert await tell(clients[0], late) == {"late": 2}
        for client in clients:
            client.close()


class Told:
    """A sibling that knows some requests. None: it does not answer."""

    def __init__(self, *known: str, answers: bool = True) -> None:
        self.known = set(known)
        self.answers = answers
        self.asked: list[list[str]] = []

    async def ask(self, do: str, within_s: float, **content: Any) -> dict[str, Any] | None:
        """See child.Child."""
        self.asked.append(content["told"])
        if not self.answers:
            return None
        return {"results": ["taken" if one in self.known else "unknown" for one in content["told"]]}


async def test_a_sibling_is_asked_for_what_no_other_knows() -> None:
    """One after the other, so that two that know one id do not both take its label."""
    siblings = [Told("a"), Told("b", answers=False), Told("a", "b"), Told("c")]
    answer = await ask_siblings(siblings, {"told": ["a", "b"]})
    assert answer == {"results": ["taken", "taken"]}
    assert [one.asked for one in siblings] == [[["a", "b"]], [["b"]], [["b"]], []]
    assert await ask_siblings([], {"told": ["a"]}) == {"results": ["unknown"]}


async def test_workers_share_the_probes(triton: SteadyStub, tmp_path: Path) -> None:
    """Half of the rate each, all of it in the sum; with another profile's tiers they pause."""
    file = tmp_path / "probes.npz"
    probes.write(file, some_probes(TABLE))
    settings = tmp_path / "gateway.toml"
    settings.write_text("[probes]\nper_s = 40\n[listen]\nworkers = 2\n")
    options = (f"--settings={settings}", f"--probes={file}")

    def sent(gateway: GatewayProcess) -> float:
        ended = gateway.metrics().items()
        return sum(count for name, count in ended if name.startswith("tailq_probes_total"))

    with GatewayProcess(tmp_path, TABLE, triton.address, *options) as gateway:
        await until(lambda: sent(gateway) > COUNT)
        before, begun = await asyncio.to_thread(sent, gateway), time.monotonic()
        await until(lambda: sent(gateway) > before + 80)
        # However slow the machine is; by chance more than that once in ten thousand runs.
        assert sent(gateway) - before < 1.5 * 40 * (time.monotonic() - begun)
        assert await asyncio.to_thread(gateway.outcomes) == {}

        other = TABLE.conditions.model_copy(update={"profile": "fedcba9876543210"})
        changed = TABLE.model_copy(update={"conditions": other})
        artefact.write(tmp_path / "tiers.json", changed)
        await until(lambda: gateway.log.count("probes pause") == 2)
        assert "profile 0123456789abcdef" in gateway.log
        paused = await asyncio.to_thread(sent, gateway)
        metrics = await asyncio.to_thread(gateway.metrics)
        classes = Counter(one.body[-1] % CLASSES for one in triton.stub.infers)
        name = 'tailq_probe_answers_total{result="%s",service="fashion",variant="%s"}'
        same = sum(metrics[name % ("same", variant)] for variant in TABLE.variants)
        others = sum(metrics[name % ("other", variant)] for variant in TABLE.variants)
        assert (same, others) == (classes[3], classes.total() - classes[3])
        assert same + others == paused
        probes.write(file, some_probes(changed))
        await until(lambda: sent(gateway) > paused + COUNT)
        taken = await asyncio.to_thread(gateway.metrics)
        assert taken['tailq_reloads_total{file="probes",result="ok",service="fashion"}'] == 1


def test_probes_of_another_profile_do_not_start(tmp_path: Path) -> None:
    """Nor does the gateway: exit code 2, and what to do; --check says the same, or how many."""
    tiers, file = tmp_path / "tiers.json", tmp_path / "probes.npz"
    artefact.write(tiers, TABLE)
    probes.write(file, some_probes(TABLE, "fedcba9876543210"))
    options = (f"--tiers={tiers}", "--triton=127.0.0.1:9", "--workers=2", f"--probes={file}")
    for more in ((), ("--check",)):
        result = run(*options, *more)
        assert result.returncode == 2
        assert "of profile fedcba9876543210, but the tiers are of profile" in result.stderr
        assert "Traceback" not in result.stderr
    probes.write(file, some_probes(TABLE))
    result = run(*options, "--check")
    assert f"probes    {COUNT} samples from {file}, 1 a second" in result.stdout
