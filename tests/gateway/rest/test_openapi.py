"""The OpenAPI document is what the gateway does: requests drawn from it and past it."""

import asyncio
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.gateway.client import get
from tests.gateway.running import Running

CONFORM = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


async def test_what_comes_is_what_is_declared(
    gateway: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """Status, headers and bodies of every route; for requests that are right and that are wrong."""
    address = f"http://127.0.0.1:{gateway.port}"
    document = (await (await gateway.client()).ask(get("/openapi.json"))).json

    def attack() -> None:
        schema = schemathesis.openapi.from_dict(document)
        found = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
        assert len(found) > 10
        for operation in found:
            right, wrong = (
                operation.as_strategy(generation_mode=mode)
                for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
            )

            @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
            @given(right | wrong)
            def conforms(case: schemathesis.Case[Any]) -> None:
                answer = case.call(base_url=address)
                assert answer.status_code != 500
                case.validate_response(answer, checks=CONFORM)

            conforms()

    await asyncio.to_thread(attack)
    assert not [record for record in caplog.records if record.name.startswith("tailq")]
