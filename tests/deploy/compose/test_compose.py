"""The Compose file is valid, and what is in it fits together. Nothing of it is started."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from tailq import artefact, probes
from tailq.tier import Served
from tests import tables
from tests.gateway.probes.samples import probes as some_probes

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "compose"
PROMETHEUS = ROOT / "deploy" / "prometheus"
DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"


@pytest.fixture(scope="module", params=["cpu", "gpu"])
def services(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Every service of a profile, as Compose itself (Debian's docker-compose) reads it."""
    return configured(request.param, {"GRAFANA_PASSWORD": "secret"})


def configured(profile: str, environment: dict[str, str]) -> dict[str, Any]:
    """What Compose makes of the file and of .env.example: validated, filled in, merged."""
    if shutil.which("docker-compose") is None:
        pytest.skip("needs apt-get install docker-compose (Debian)")
    command = ["docker-compose", "--env-file=.env.example", f"--profile={profile}", "config"]
    ended = subprocess.run(
        command,
        cwd=FOLDER,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    services = yaml.safe_load(ended.stdout)["services"]
    return {
        name: service
        for name, service in services.items()
        if profile in service.get("profiles", [profile])
    }


def mounts(service: dict[str, Any]) -> dict[str, str]:
    """What of this machine is mounted, by where; named volumes are not of it."""
    parts = [each.split(":") for each in service.get("volumes", ())]
    return {inside: outside for outside, inside, _ in parts if outside.startswith("/")}


def test_nothing_starts_without_a_password() -> None:
    """Grafana has no default password: the file says where to set one."""
    with pytest.raises(AssertionError, match=r"set it in \.env"):
        configured("cpu", {})


def test_one_triton_is_started_by_profile(services: dict[str, Any]) -> None:
    """The CPU's or the GPU's, which the gateway knows by one name."""
    [triton] = [name for name in services if name.startswith("triton-")]
    assert services[triton]["networks"]["default"]["aliases"] == ["triton"]
    reserved = services[triton]["deploy"]["resources"].get("reservations", {})
    assert ("devices" in reserved) == (triton == "triton-gpu")


def test_images_are_pinned(services: dict[str, Any]) -> None:
    """By a version each, except the gateway, which is built."""
    for name, service in services.items():
        if name == "gateway":
            assert (Path(service["build"]["context"]) / service["build"]["dockerfile"]) == (
                DOCKERFILE
            )
        else:
            assert re.search(r":v?\d+\.\d+[\w.-]*$", service["image"]), service["image"]


def test_ports_are_published_at_loopback(services: dict[str, Any]) -> None:
    """Nobody else reaches them, and no two are the same."""
    published = [port for service in services.values() for port in service.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert len(set(published)) == len(published)


def test_services_are_bounded(services: dict[str, Any]) -> None:
    """Each has bounds of processor, memory, processes and logs, and no new privileges."""
    for service in services.values():
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
        assert service["pids_limit"] > 0
        assert service["logging"]["options"]["max-size"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_services_tell_whether_they_are_well(services: dict[str, Any]) -> None:
    """By a health check each; the gateway's is the image's."""
    assert {name for name, one in services.items() if "healthcheck" not in one} == {"gateway"}
    assert "HEALTHCHECK" in DOCKERFILE.read_text()


def test_what_is_mounted_is_there(services: dict[str, Any]) -> None:
    """Read-only, and in the repository; the folder of measured tiers is its owner's."""
    for name, service in services.items():
        for volume in service.get("volumes", ()):
            assert volume.endswith(":ro") == volume.startswith("/")
        for inside, outside in mounts(service).items():
            if inside != "/artefacts":
                assert Path(outside).exists(), f"{name}: {outside}"


def test_grafana_is_provisioned_where_it_looks(services: dict[str, Any]) -> None:
    """Dashboards lie where provisioning and the home page say; anonymous viewers are kept out."""
    grafana = services["grafana"]
    inside = mounts(grafana)
    providers = Path(inside["/etc/grafana/provisioning"]) / "dashboards" / "tailq.yaml"
    [provider] = yaml.safe_load(providers.read_text())["providers"]
    dashboards = inside[provider["options"]["path"]]
    home = PurePosixPath(grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert str(home.parent) == provider["options"]["path"]
    assert (Path(dashboards) / home.name).exists()
    assert grafana["environment"]["GF_AUTH_ANONYMOUS_ENABLED"] == "false"


def test_each_finds_the_others(services: dict[str, Any]) -> None:
    """Prometheus scrapes the gateway's admin port, tells Alertmanager, and is Grafana's source."""
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    [job] = config["scrape_configs"]
    [manager] = config["alerting"]["alertmanagers"]
    sources = ROOT / "deploy" / "grafana" / "provisioning" / "datasources" / "prometheus.yaml"
    [source] = yaml.safe_load(sources.read_text())["datasources"]
    asked = [*job["static_configs"][0]["targets"], *manager["static_configs"][0]["targets"]]
    asked.append(source["url"].removeprefix("http://"))
    assert asked == ["gateway:8082", "alertmanager:9093", "prometheus:9090"]
    for address in asked:
        name, _, port = address.partition(":")
        assert any(f":{port}" in each for each in services[name]["ports"])


def test_the_gateway_accepts_its_settings(services: dict[str, Any], tmp_path: Path) -> None:
    """`tailq-gateway --check` with the container's environment says what would be served."""
    table = tables.table(tables.tier("gold", 0.01, tables.promise("large", 0.2)))
    table = table.model_copy(update={"served": {"large": Served(service_s=0.01, classes=True)}})
    artefact.write(tmp_path / "tiers.json", table)
    (tmp_path / "profile").mkdir()
    probes.write(tmp_path / "profile" / "probes.npz", some_probes(table))
    gateway = services["gateway"]
    assert "/artefacts" in mounts(gateway)
    inside = {
        name: value.replace("/artefacts", str(tmp_path))
        for name, value in gateway["environment"].items()
    }
    ended = subprocess.run(
        [sys.executable, "-m", "gateway.cli", "--check"],
        env={"PATH": os.environ["PATH"], **inside},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    said = dict(line.split(maxsplit=1) for line in ended.stdout.splitlines())
    ports = [said[name].rpartition(":")[2] for name in ("REST", "gRPC", "admin")]
    assert [f"127.0.0.1:{port}:{port}/tcp" for port in ports] == gateway["ports"]
    assert said["Triton"] == "triton:8000"
    assert said["probes"].startswith("20 samples")


def test_the_image_holds_the_gateway_and_nothing_else(tmp_path: Path) -> None:
    """What the Dockerfile copies makes a wheel with the gateway, its data files and no profiler.

    Whatever it copies, the build is let see.
    """
    source, ignored = (
        tmp_path / "source",
        (DOCKERFILE.parent / "Dockerfile.dockerignore").read_text(),
    )
    source.mkdir()
    copied = re.findall(r"^COPY (?!--from)(.+) (\S+)$", DOCKERFILE.read_text(), re.MULTILINE)
    for names, _ in copied:
        for name in names.split():
            assert f"!{name}\n" in ignored
            if (ROOT / name).is_dir():
                shutil.copytree(
                    ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
                )
            else:
                shutil.copy(ROOT / name, source)
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"]
    made = subprocess.run(
        [*build, "--disable-pip-version-check", "--wheel-dir", str(tmp_path), "."],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert {name.partition("/")[0] for name in inside} == {"tailq", "gateway"}
    data = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "gateway").rglob("*")
        if path.is_file() and path.suffix not in {".pyc", ".md"}
    }
    assert data <= inside, f"missing in the wheel: {sorted(data - inside)}"


def test_the_healthcheck_asks_the_admin_port() -> None:
    """A gateway that answers there is well."""
    content = DOCKERFILE.read_text()
    [found] = re.findall(r"HEALTHCHECK .+\\\n\s+CMD (\[.+\])", content)
    assert "http://127.0.0.1:8082/healthz" in json.loads(found)[-1]
    assert re.search(r"^USER 10001:10001$", content, re.MULTILINE)
