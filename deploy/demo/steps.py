"""The steps of the demo, each a real command of the product run as a user would run it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from tailq import artefact, probes
from tailq.errors import TailqError
from tailq.tier import TierTable

SERVICE = "fashion"
ROOT = Path(__file__).resolve().parents[2]
REPOSITORY = ROOT / "model_repository" / SERVICE
SPEC = Path(__file__).with_name("tiers.yaml")
# Requests a second of each tier: together about half of what two cores can do, so that queues
# come and go within the load that was profiled.
RATES = {"gold": 10, "silver": 20, "bronze": 30, "express": 40}
# Of the requests, how many the gateway learns the label of afterwards.
FEEDBACK = 0.05


class StepFailed(TailqError):
    """A command of the demo failed; it has said why itself. `code` is its exit code."""

    def __init__(self, title: str, code: int) -> None:
        super().__init__(f"{title}: failed with exit code {code}")
        self.code = code


@dataclass(frozen=True)
class Listening:
    """HOST:PORT of each of the gateway's listeners."""

    http: str
    grpc: str
    admin: str


@dataclass(frozen=True)
class Demo:
    """The steps, and what they share.

    folder: where everything made goes. models: to profile; none named are all of the service.
    budget_s: seconds for the profile. spec: the wanted tiers.
    """

    folder: Path
    console: Console
    models: tuple[str, ...] = ()
    budget_s: float = 200.0
    spec: Path = SPEC

    @property
    def unseen(self) -> Path:
        """The labelled images the profile never saw."""
        return self.folder / "unseen.npz"

    @property
    def profile(self) -> Path:
        """The profile of the variants."""
        return self.folder / "profile"

    @property
    def tiers(self) -> Path:
        """The compiled tier table."""
        return self.folder / "tiers.json"

    @property
    def page(self) -> Path:
        """All that is known of the variants and tiers, for a browser."""
        return self.folder / "profile.html"

    @property
    def report(self) -> Path:
        """What was promised and delivered."""
        return self.folder / "report.json"

    def prepare_data(self) -> None:
        """Fetch the data set once; put the half that the profile never sees aside."""
        options = ["dataset", "fashion-mnist", "--half", "unseen", "--out", str(self.unseen)]
        self._run("Data: the unseen half of the test images", "tailq-profile", *options)

    def measure(self, triton_grpc: str) -> None:
        """Profile every variant on the other half of the test images."""
        self._run(
            "Profile: what each variant answers, and when",
            "tailq-profile",
            *("run", "--triton", triton_grpc, "--service", SERVICE, "--dataset", "fashion-mnist"),
            *("--out", str(self.profile), "--models", ",".join(self.models)),
            *("--budget-s", str(self.budget_s), "--force"),
        )

    def compile(self) -> None:
        """Compile the tiers that can be promised."""
        self._run(
            "Tiers: what can be promised",
            "tailq-profile",
            *("tiers", str(self.profile), "--spec", str(self.spec), "--out", str(self.tiers)),
        )

    def describe(self) -> None:
        """Put the profile and its tiers on one page."""
        self._run(
            "Page: the profile and its tiers, to look at",
            "tailq-profile",
            *("report", str(self.profile), "--tiers", str(self.tiers), "--out", str(self.page)),
        )

    def load(self, gateway: Listening, duration_s: float) -> bool:
        """Send the unseen images, one open-loop stream a tier. Returns whether all was kept."""
        offered = {tier.name for tier in artefact.read(self.tiers, TierTable).tiers}
        rates = [f"--rate={tier}={rate}" for tier, rate in RATES.items() if tier in offered]
        code = self._run(
            f"Load: unseen images for {duration_s:.0f} s, one stream a tier",
            "tailq-load",
            "run",
            *("--gateway", gateway.http, "--admin", gateway.admin, "--tiers", str(self.tiers)),
            *("--data", str(self.unseen), "--feedback", str(FEEDBACK)),
            *("--out", str(self.report), "--duration-s", str(duration_s), *rates),
            accept=(0, 1),
        )
        return code == 0

    @contextmanager
    def gateway(self, triton_http: str, port: int) -> Iterator[Listening]:
        """Serve the tiers; yields where, and stops it on the way out."""
        self.console.rule("[bold]Gateway", align="left")
        command = [_installed("tailq-gateway"), "--tiers", str(self.tiers)]
        # Requests that are shed are in the report: not a line each among the tables.
        command += ["--triton", triton_http, "--port", str(port), "--json", "--log-level=warning"]
        command += ["--probes", str(self.profile / probes.FILE)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            ready = process.stdout.readline()  # once it listens; empty if it died
            if not ready:
                raise StepFailed("Gateway", process.wait())
            said = json.loads(ready)
            url, grpc, admin = said["url"], said["grpc"], said["admin"]
            self.console.print(f"serves {SERVICE} at {url}, gRPC at {grpc}, admin at {admin}")
            yield Listening(url.removeprefix("http://"), grpc, admin.removeprefix("http://"))
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()

    def _run(self, title: str, command: str, *options: str, accept: tuple[int, ...] = (0,)) -> int:
        self.console.rule(f"[bold]{title}", align="left")
        code = subprocess.run([_installed(command), *options], cwd=ROOT, check=False).returncode
        if code not in accept:
            raise StepFailed(title, code)
        return code


def _installed(command: str) -> str:
    """The path of a command installed beside this Python."""
    return str(Path(sys.executable).with_name(command))
