"""The real Prometheus (Debian's package `prometheus`) on a free port, for tests."""

import json
import math
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import yaml

_LISTENS = re.compile(r'msg="Listening on" address=(\S+)')
_PAUSE_S = 0.1  # between two looks at something that is waited for


class Sample(NamedTuple):
    """One series of an answer. labels: without the metric's name."""

    labels: dict[str, str]
    value: float


class QueryError(AssertionError):
    """Prometheus refused a query; it says why."""


class Prometheus:
    """A context manager: scrapes `jobs` and evaluates `rules` every second, keeps all in `folder`.

    jobs: HOST:PORT of each target, by the job's name. rules: rule files, used as they are, except
    that alerts fire `hold` (a duration such as "2s") after their condition has come true, where it
    is given, instead of what each says; conditions and their windows stay.
    """

    def __init__(
        self,
        folder: Path,
        jobs: Mapping[str, Sequence[str]],
        rules: Sequence[Path] = (),
        *,
        hold: str | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / "prometheus.log"
        self._config = folder / "prometheus.yml"
        self._data = folder / "data"
        copies = [_copy(file, folder / "rules" / file.name, hold) for file in rules]
        config = {
            "global": {
                "scrape_interval": "1s",
                "scrape_timeout": "1s",
                "evaluation_interval": "1s",
            },
            "rule_files": [str(copy) for copy in copies],
            "scrape_configs": [
                {"job_name": name, "static_configs": [{"targets": list(targets)}]}
                for name, targets in jobs.items()
            ],
        }
        self._config.write_text(yaml.safe_dump(config))
        self.url = ""

    def __enter__(self) -> Self:
        binary = shutil.which("prometheus")
        if binary is None:
            pytest.skip("needs prometheus; on Debian: apt-get install prometheus")
        command = [binary, f"--config.file={self._config}", f"--storage.tsdb.path={self._data}"]
        command += ["--web.listen-address=127.0.0.1:0"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            self.until(self._ready, what="Prometheus to be ready")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @property
    def log(self) -> str:
        """What it has said."""
        return self._log.read_text()

    def query(self, expression: str) -> list[Sample]:
        """What an expression says now, series that are not a number included."""
        result = self._get("query", query=expression)["result"]
        if result and not isinstance(result[0], dict):  # a scalar: [time, value]
            return [Sample({}, float(result[1]))]
        return [_sample(series["metric"], series["value"][1]) for series in result]

    def number(self, expression: str) -> float:
        """The value of an expression that gives one series."""
        [sample] = self.query(expression)
        return sample.value

    def tells(self, expression: str) -> bool:
        """Whether an expression gives a number, and not only none or NaN."""
        return any(not math.isnan(sample.value) for sample in self.query(expression))

    def rules(self) -> list[dict[str, Any]]:
        """Every rule as the API has it: type, name, query, health, lastError and so on."""
        return [rule for group in self._get("rules")["groups"] for rule in group["rules"]]

    def alerts(self, state: str = "firing") -> list[dict[str, str]]:
        """The labels of every alert that is firing, or pending."""
        return [a["labels"] for a in self._get("alerts")["alerts"] if a["state"] == state]

    def firing(self) -> set[str]:
        """The names of the alerts that fire."""
        return {labels["alertname"] for labels in self.alerts()}

    def targets(self) -> dict[str, str]:
        """How each target does, up, down or unknown, by its HOST:PORT."""
        active = self._get("targets", state="active")["activeTargets"]
        return {target["labels"]["instance"]: target["health"] for target in active}

    def until(
        self, condition: Callable[[], object], *, timeout_s: float = 60, what: str = "a condition"
    ) -> float:
        """Look until `condition` says yes. Returns how many seconds that took."""
        begun = time.monotonic()
        while not condition():
            assert self._process.poll() is None, self.log
            waited = time.monotonic() - begun
            assert waited < timeout_s, f"waited {timeout_s:g} s in vain for {what}"
            time.sleep(_PAUSE_S)
        return time.monotonic() - begun

    def until_up(self, *, timeout_s: float = 60) -> float:
        """Wait until every target has been scraped."""
        return self.until(
            lambda: set(self.targets().values()) == {"up"},
            timeout_s=timeout_s,
            what="every target to be up",
        )

    def until_true(self, expression: str, *, timeout_s: float = 60) -> float:
        """Wait until an expression tells something, as the condition of an alert does."""
        return self.until(lambda: self.tells(expression), timeout_s=timeout_s, what=expression)

    def until_firing(self, name: str, *, timeout_s: float = 60) -> float:
        """Wait until an alert fires. Returns how many seconds that took, scrape and rules included.

        They are right to within a second or two: the interval of scrapes and of rules.
        """
        return self.until(
            lambda: name in self.firing(), timeout_s=timeout_s, what=f"alert {name} to fire"
        )

    def evaluated(self) -> None:
        """Wait until what is true now has gone through scrapes and rules, those on rules as well.

        So what a query says afterwards, none came in between, is no older than this call.
        """
        began = self.number("time()")
        self.until(
            lambda: all(sample.value > began for sample in self.query("timestamp(up)")),
            what="every target to be scraped again",
        )
        for _ in range(2):
            self.until(self._evaluated_since(time.time()), what="every rule to be evaluated again")

    def _ready(self) -> bool:
        found = _LISTENS.search(self.log)
        if found is None:
            return False
        self.url = f"http://{found[1]}"
        try:
            with urlopen(f"{self.url}/-/ready", timeout=20):
                return True
        except HTTPError:
            return False

    def _evaluated_since(self, moment: float) -> Callable[[], bool]:
        return lambda: all(_when(rule) > moment for rule in self.rules())

    def _get(self, path: str, **parameters: str) -> Any:
        try:
            with urlopen(f"{self.url}/api/v1/{path}?{urlencode(parameters)}", timeout=20) as answer:
                return json.load(answer)["data"]
        except HTTPError as error:
            with error:
                raise QueryError(f"{parameters}: {json.load(error)['error']}") from None

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(30)
        finally:
            self._process.kill()
            self._process.wait()


def _sample(metric: Mapping[str, str], value: str) -> Sample:
    return Sample({k: v for k, v in metric.items() if k != "__name__"}, float(value))


def _when(rule: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(rule["lastEvaluation"]).timestamp()


def _copy(source: Path, target: Path, hold: str | None) -> Path:
    content = yaml.safe_load(source.read_text())
    for group in content["groups"]:
        group.pop("interval", None)
        for rule in group["rules"]:
            if hold is not None and "alert" in rule:
                rule["for"] = hold
    target.parent.mkdir(exist_ok=True)
    target.write_text(yaml.safe_dump(content, sort_keys=False))
    return target
