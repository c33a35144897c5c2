"""The rules of who may import whom are enforced: a broken one is found."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("tailq", "profiler", "gateway", "loadtest", "deploy")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code in which rules may be broken."""
    copy = tmp_path_factory.mktemp("house")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package)
    return copy


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    """Check the import rules of the house."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=house, capture_output=True, text=True, check=False)


def test_the_house_keeps_its_rules(house: Path) -> None:
    """The code as it is breaks none."""
    result = lint(house)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("file", "line", "rule"),
    [
        ("tailq/intruder.py", "import gateway.dataplane", "imports none of the rooms"),
        ("tailq/intruder.py", "import time", "tailq is pure"),
        ("gateway/intruder.py", "import profiler.tiers.command.spec", "do not know each other"),
        ("gateway/intruder.py", "import tailq.guarantee", "the gateway stays light"),
        ("profiler/intruder.py", "import deploy.embedded", "imports the load test or the deploy"),
        ("loadtest/intruder.py", "import profiler.tiers.command.spec", "reads the shared language"),
    ],
)
def test_a_broken_rule_is_found(house: Path, file: str, line: str, rule: str) -> None:
    """An import against the rules fails the check and is named, also when it is indirect."""
    intruder = house / file
    intruder.write_text(line + "\n")
    try:
        result = lint(house)
    finally:
        intruder.unlink()
    assert result.returncode == 1
    broken = [text for text in result.stdout.splitlines() if text.endswith("BROKEN")]
    assert any(rule in text for text in broken), result.stdout
