"""Settings: where they come from, who wins, and what a mistake is told."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.settings import Given, Settings, load
from tailq.errors import TailqError

FILE = """
tiers = "tiers.json"
[listen]
http_port = 9000
[upstream]
endpoints = ["a:8000", {http = "b:8000", metrics = "b:8002"}]
[limits]
max_body = "1MiB"
[clients.named.shop]
keys = ["0000000000000000000000000000000000000000000000000000000000000000"]
"""
PREFIX = "TAILQ_GATEWAY__"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "gateway.toml"
    path.write_text(FILE)
    return path


def flag(path: str, value: Any) -> Given:
    return Given(tuple(path.split(".")), value, f"--{path}")


def told(*arguments: Any) -> list[str]:
    with pytest.raises(TailqError) as caught:
        load(*arguments)
    return str(caught.value).splitlines()


def test_a_file_is_enough(file: Path) -> None:
    """What it does not say is as by default."""
    settings = load(file, {})
    assert settings.tiers == Path("tiers.json")
    assert [one.http for one in settings.upstream.endpoints] == ["a:8000", "b:8000"]
    assert settings.limits.max_body == 1 << 20
    assert settings.listen.host == settings.listen.admin_host == "127.0.0.1"
    assert settings.clients.named.keys() == {"shop"}


def test_flags_win_over_the_environment_and_that_over_the_file(file: Path) -> None:
    """Each key by itself."""
    environment = {
        f"{PREFIX}LISTEN__HTTP_PORT": "9001",
        f"{PREFIX}LISTEN__WORKERS": "3",
        f"{PREFIX}UPSTREAM__ENDPOINTS": '["c:8000"]',
        f"{PREFIX}CLIENTS__ANONYMOUS": "false",
        "PATH": "/bin",
    }
    settings = load(file, environment, [flag("listen.http_port", 9002)])
    assert settings.listen.http_port == 9002
    assert settings.listen.workers == 3
    assert [one.http for one in settings.upstream.endpoints] == ["c:8000"]
    assert settings.clients.anonymous is False


@pytest.mark.parametrize(
    ("given", "grpc", "admin"),
    [
        ({}, 8081, 8082),
        ({"http_port": 9000}, 9001, 9002),
        ({"http_port": 0}, 0, 0),
        ({"http_port": 0, "grpc_port": 5}, 5, 0),
        ({"http_port": 9000, "admin_port": 0}, 9001, 0),
    ],
)
def test_the_other_ports_follow_the_first(given: dict[str, int], grpc: int, admin: int) -> None:
    """Unless they are given; and a free one is followed by free ones."""
    flags = [flag("tiers", "t"), flag("upstream.endpoints", ["a:1"])]
    listen = load(None, {}, [*flags, *(flag(f"listen.{k}", v) for k, v in given.items())]).listen
    assert (listen.grpc, listen.admin) == (grpc, admin)


def test_the_documented_settings_are_those_there_are() -> None:
    """Every key in the guide exists and has the default that it shows there."""
    text = (Path(__file__).parents[2] / "docs" / "gateway.md").read_text()
    tree = tomllib.loads(text.split("```toml\n")[1].split("```")[0])
    del tree["upstream"]["tls"]  # its files are not there
    tree["clients"]["named"]["shop"]["keys"] = ["0" * 64]
    shown = Settings.model_validate(tree)
    default = Settings.model_validate({"tiers": "tiers.json", "upstream": tree["upstream"]})
    assert shown.listen.grpc == default.listen.grpc
    assert shown.listen.admin == default.listen.admin
    assert shown.limits.buffered == default.limits.buffered
    derived = {
        "listen": {"grpc_port", "admin_port", "tls"},
        "limits": {"max_buffered"},
        "admission": {"places"},
    }
    for section in ("listen", "upstream", "limits", "admission", "log"):
        left_out = derived.get(section, set())
        one = getattr(shown, section).model_dump(exclude=left_out)
        assert one == getattr(default, section).model_dump(exclude=left_out)
        assert set(tree[section]) >= (left_out or set(one)) - {"tls"}


def test_nothing_given_is_told_with_remedies() -> None:
    """What must be there, and how it can be given."""
    assert told(None, {}) == [
        "settings: tiers is missing: name the tier table: --tiers FILE, or tiers = … in the "
        "settings",
        "settings: upstream is missing: name Triton's HTTP endpoint: --triton HOST:PORT, or "
        "[upstream] endpoints = […]",
    ]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("[listen]\nport = 1", "[listen] port: no such key; there are: host, http_port"),
        ('[log]\nlevel = "loud"', "[log] level: Input should be 'debug', 'info'"),
        ("[listen]\nworkers = 0", "[listen] workers: Input should be greater than"),
        ('[limits]\nmax_buffered = "1KiB"', "limits: max_buffered must be at least max_body"),
        ("listen = 3", "listen: must be a table of keys"),
        ("[listen]\nhttp_port = 65534", "listen: admin_port follows http_port and would be 65536"),
        ("[listen]\ngrpc_port = 8080", "listen: each listener needs a port of its own, not http_"),
        ('[limits]\nmax_body = "64 cows"', "[limits] max_body: must be a number of bytes, or a"),
        ('[clients]\nanonymous = "maybe"', "[clients] anonymous: must be true or false"),
        ("[clients.anonymous]\ntier = 1", "[clients.anonymous] tier: no such key"),
        ('[clients.named.Shop]\nkeys = ["%s"]' % ("0" * 64), "[clients.named] Shop: String should"),
        ('[clients.named.a]\nkeys = ["x"]', "[clients.named.a.keys] 0: must be the SHA-256 of a"),
        ("[sevice]\nx = 1", "sevice: no such key; there are: tiers, listen, upstream"),
        ("[clients.named.shop]\nkeys = [1]", "[clients.named.shop.keys] 0: Input should be a"),
    ],
)
def test_a_mistake_in_the_file_names_file_key_and_remedy(
    tmp_path: Path, lines: str, says: str
) -> None:
    """In one line."""
    path = tmp_path / "gateway.toml"
    path.write_text(f'tiers = "t"\n{lines}\n[upstream]\nendpoints = ["a:1"]\n')
    (line,) = told(path, {})
    assert line.startswith(f"{path}: {says}")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"tiers = ", "not TOML: Invalid value (at end of document)"),
        (b"\xff", "not TOML: 'utf-8' codec"),
        (b"a = " + b"[" * 10_000, "not TOML: nested too deeply"),
    ],
)
def test_a_file_that_is_none_is_told(tmp_path: Path, content: bytes | None, says: str) -> None:
    """Missing, or not what it should be."""
    path = tmp_path / "gateway.toml"
    if content is not None:
        path.write_bytes(content)
    (line,) = told(path, {})
    assert line.startswith(f"{path}: {says}")


def test_mistakes_elsewhere_name_their_variable_or_flag(file: Path) -> None:
    """Whoever gave the value that counts is named."""
    variable = f"{PREFIX}LISTEN__WORKERS"
    (line,) = told(file, {variable: "many"})
    assert line.startswith(f"{variable}: [listen] workers: Input should be a valid integer")
    (line,) = told(file, {f"{PREFIX}UPSTREAM__ENDPOINTS": "a:1"})
    assert line.endswith('[upstream] endpoints: must be a list, such as ["…"]')
    (line,) = told(file, {f"{PREFIX}UPSTREAM__ENDPOINTS": "[a"})
    assert line == f"{PREFIX}UPSTREAM__ENDPOINTS: lists and tables are written in JSON"
    (line,) = told(file, {}, [flag("upstream.endpoints", ["nothing"])])
    assert line.startswith("--upstream.endpoints: 'nothing' is no HOST:PORT")


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), min_size=1, max_size=4))
def test_an_environment_of_nonsense_is_a_told_mistake(rest: dict[str, str]) -> None:
    """No key is a random word, and no variable with our prefix is passed over."""
    environment = {f"{PREFIX}no{name}": value for name, value in rest.items()}
    flags = [flag("tiers", "t"), flag("upstream.endpoints", ["a:1"])]
    assert all(line.startswith(PREFIX) for line in told(None, environment, flags))
