"""The splice against a JSON parser."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rest.splice import splice

NAME = '"fashion"'
OURS = {"tailq_tier": "gold", "tailq_deadline_ms": 40.0}
PARAMETERS = json.dumps(OURS)[1:-1]

scalars = st.one_of(st.text(), st.integers(), st.booleans(), st.floats(allow_nan=False))
outputs = st.lists(
    st.fixed_dictionaries({"name": st.text(), "data": st.lists(scalars, max_size=3)}), max_size=3
)


def spliced(content: dict[str, Any], **how: Any) -> Any:
    head = json.dumps(content, **how).encode()
    result = splice(head, NAME.encode(), PARAMETERS.encode())
    assert result is not None
    return json.loads(result)


def expected(content: dict[str, Any]) -> dict[str, Any]:
    theirs = content.get("parameters")
    parameters = {**(theirs if isinstance(theirs, dict) else {}), **OURS}
    return {**content, "model_name": "fashion", "parameters": parameters}


@given(
    st.text(),
    st.text(),
    st.one_of(st.none(), st.text()),
    st.one_of(st.none(), st.dictionaries(st.text(), scalars, max_size=3)),
    outputs,
    st.booleans(),
)
def test_a_head_as_triton_writes_it_gains_name_and_parameters(
    model: str,
    version: str,
    request_id: str | None,
    parameters: dict[str, Any] | None,
    results: list[dict[str, Any]],
    ascii_only: bool,
) -> None:
    """Whatever the strings hold, the result parses to the same with name and parameters ours."""
    content: dict[str, Any] = {"model_name": model, "model_version": version}
    if request_id is not None:
        content["id"] = request_id
    if parameters is not None:
        content["parameters"] = parameters
    content["outputs"] = results
    got = spliced(content, separators=(",", ":"), ensure_ascii=ascii_only)
    assert got == expected(content)


@given(st.dictionaries(st.text(), st.one_of(scalars, outputs), max_size=5), st.integers(0, 2))
def test_any_other_object_is_parsed(content: dict[str, Any], spaces: int) -> None:
    """An order or a spacing that Triton does not use comes out right too."""
    assert spliced(content, indent=spaces) == expected(content)


def test_our_parameters_win_over_a_models_own() -> None:
    """A model cannot speak in the gateway's name."""
    content = {"model_name": "m", "model_version": "1", "parameters": {"tailq_tier": "fake"}}
    got = spliced({**content, "outputs": []}, separators=(",", ":"))
    assert got["parameters"]["tailq_tier"] == "gold"


def test_the_outputs_are_not_looked_at() -> None:
    """Megabytes of data behind the head pass as they are, even if they were no JSON."""
    tail = b'"outputs":[' + b"\xff" * 10
    got = splice(b'{"model_name":"m","model_version":"1",' + tail, b'"n"', b'"tailq_a":1')
    assert got == b'{"model_name":"n","model_version":"1","parameters":{"tailq_a":1},' + tail


@pytest.mark.parametrize("head", [b"", b"[]", b"nonsense", b"\xff", b'"text"'])
def test_what_is_no_object_is_left_alone(head: bytes) -> None:
    """Nothing can be added to what is not a JSON object."""
    assert splice(head, b'"n"', b'"tailq_a":1') is None
