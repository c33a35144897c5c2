"""Whole runs of the gateway in virtual time: what must hold for any traffic, fault and seed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.simulation.faults import Fault
from loadtest.simulation.run import Played, play
from tailq import artefact
from tests.loadtest.simulation.worlds import TABLE, setting

KINDS = ["slow", "stuck", "gone", "unloaded", "dropped", "broken", "wrong", "deaf", "burst"]

faults = st.builds(
    lambda kind, start, length, variant, endpoint, factor, share: Fault(
        kind, start, start + length, variant, endpoint, factor, share
    ),
    st.sampled_from(KINDS),
    st.floats(0, 4),
    st.floats(0.01, 4),
    st.sampled_from([None, "large", "medium", "small"]),
    st.sampled_from([None, 0]),
    st.floats(1, 12),
    st.floats(0.1, 1),
)


@settings(max_examples=60)
@given(
    st.lists(faults, max_size=5),
    st.floats(1, 150),
    st.integers(0, 2**32),
    st.integers(1, 2),
    st.sampled_from([0.0, 0.2]),
)
def test_whatever_happens_every_request_ends_once_and_in_time(
    happens: list[Fault], rate: float, seed: int, endpoints: int, leaving: float
) -> None:
    """One outcome each, by its deadline, and nothing is left behind."""
    world = setting(
        *happens, rate=rate, seconds=5.0, seed=seed, endpoints=endpoints, leaving=leaving
    )
    played = play(world)
    assert played.violations() == []
    assert played.asked >= 0


def test_a_run_that_misbehaves_is_found() -> None:
    """Each kind of violation is told."""
    told = Played(opened=2, twice=1, overrun_s=0.006, asked=1, leaked={"timers": 1.0})
    told.outcomes["cancelled"] = 1
    found = " / ".join(told.violations())
    for word in ("1 timers left", "1 outcomes", "0 answered", "twice", "6 ms after", "0 ended"):
        assert word in found
    assert "clients left" in found


def on_time(played: Played, from_s: float, to_s: float) -> float:
    """Share answered as promised, of the requests that came in this window."""
    outcomes = [
        reply.outcome
        for came_s, reply in zip(played.came_s, played.replies, strict=True)
        if from_s <= came_s < to_s
    ]
    return sum(outcome in ("on_time", "rescued") for outcome in outcomes) / len(outcomes)


def test_without_faults_every_promise_is_kept() -> None:
    """At a load that the device bears, nearly all are in time and as promised."""
    played = play(setting(seconds=60.0))
    assert on_time(played, 0, 60) > 0.99
    assert played.violations() == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault("slow", 10, 20, "large"),
        Fault("stuck", 10, 12),
        Fault("gone", 10, 13),
        Fault("unloaded", 10, 15, "medium"),
        Fault("broken", 10, 15),
        Fault("burst", 10, 20, factor=10.0),
    ],
    ids=lambda fault: fault.kind,
)
def test_ten_seconds_after_a_fault_the_promises_are_kept_again(fault: Fault) -> None:
    """It is felt while it lasts, and forgotten after."""
    played = play(setting(fault, seconds=60.0))
    assert on_time(played, fault.from_s, fault.to_s) < on_time(played, 0, fault.from_s) - 0.01
    assert on_time(played, fault.to_s + 10, 60) > 0.98
    assert played.violations() == []


def test_one_endpoint_of_two_gone_is_hardly_felt() -> None:
    """What it worked on is lost; the other one bears the rest."""
    played = play(setting(Fault("gone", 10, 20, endpoint=0), seconds=30.0, endpoints=2))
    assert played.outcomes["failed"] + played.outcomes["late"] < 0.01 * played.opened
    assert played.violations() == []


def test_wrong_answers_are_delivered_and_found_in_the_quality() -> None:
    """The gateway cannot see them; whoever has the labels can."""
    right = play(setting())
    wrong = play(setting(Fault("wrong", 0, 20)))
    assert wrong.outcomes == right.outcomes
    assert sum(reply.correct for reply in right.replies) > 0.7 * right.opened
    assert not any(reply.correct for reply in wrong.replies)


def test_another_seed_is_another_run() -> None:
    """Arrivals and latencies differ, in number too."""
    assert play(setting(seed=1)).replies != play(setting(seed=2)).replies


def test_the_same_seed_gives_the_same_run_to_the_last_bit(tmp_path: Path) -> None:
    """In another process as well, whatever Python's hashes of strings are there."""
    artefact.write(tmp_path / "tiers.json", TABLE)
    command = [sys.executable, "-m", "loadtest.cli", "simulate", "--json", "--seed", "5"]
    command += ["--tiers", str(tmp_path / "tiers.json"), "--rate", "60", "--minutes", "0.5"]
    command += ["--fault", "slow@5-15:variant=large,factor=10", "--fault", "gone@20-22"]
    told = [
        subprocess.run(
            command,
            env={**os.environ, "PYTHONHASHSEED": hashes},
            capture_output=True,
            check=False,
            cwd=Path(__file__).parents[3],
        )
        for hashes in ("1", "2")
    ]
    assert told[0].returncode in (0, 1), told[0].stderr
    assert told[0].stdout == told[1].stdout
    report = json.loads(told[0].stdout)
    assert report["violations"] == []
    assert report["outcomes"]["failed"] > 0
    assert b"--seed 5 gives the same run" in told[0].stderr
