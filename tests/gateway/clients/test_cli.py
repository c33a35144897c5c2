"""`tailq-gateway key`."""

import tomllib

import pytest
import typer
from typer.testing import CliRunner

from gateway.clients import Clients, cli
from gateway.clients.settings import ClientsSettings


@pytest.fixture
def app() -> typer.Typer:
    """The command alone."""
    app = typer.Typer()
    app.command()(cli.key)
    return app


@pytest.mark.parametrize("name", ["shop", "eu.shop"])
def test_what_is_printed_is_settings_that_let_the_key_in(app: typer.Typer, name: str) -> None:
    """Pasted into the settings file, the lines make the key that of the client."""
    said = CliRunner().invoke(app, [name])
    assert said.exit_code == 0
    key, settings = said.output.split("\n\n")
    key = key.splitlines()[1]
    read = ClientsSettings.model_validate(tomllib.loads(settings)["clients"])
    assert Clients(read).identify(f"Bearer {key}".encode()).name == name
    assert key not in settings


def test_every_key_is_another(app: typer.Typer) -> None:
    """Random, and long enough not to be guessed."""
    keys = {CliRunner().invoke(app, ["shop"]).output.splitlines()[1] for _ in range(3)}
    assert len(keys) == 3
    assert all(len(key.removeprefix("tailq_")) == 43 for key in keys)


@pytest.mark.parametrize("name", ["", "Shop", "anonymous", "a b", "a" * 64])
def test_a_name_that_settings_would_refuse_is_refused(app: typer.Typer, name: str) -> None:
    """Before a key is made for it."""
    said = CliRunner().invoke(app, [name])
    assert said.exit_code == 2
    assert "tailq_" not in said.output
