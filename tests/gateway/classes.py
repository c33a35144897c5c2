"""Variants that answer with classes, and a stub that answers as they do."""

import json
from collections.abc import Callable

from tailq.tier import ConfidenceIn, Served, TierTable
from tests.gateway.stub import Handler, Received, answer, ok

OF = 10  # classes


def classifying(table: TierTable) -> TierTable:
    """`table`, by which each of its variants answers with classes."""
    where = ConfidenceIn(output="logits", kind="softmax")
    served = {
        name: Served(service_s=0.01, confidence=where, classes=True) for name in table.variants
    }
    return table.model_copy(update={"served": served})


def reply(*classes: int) -> bytes:
    """The JSON of an answer of these classes, one a sample."""
    data = [[5.0 * (column == each) for column in range(OF)] for each in classes]
    output = {"name": "logits", "datatype": "FP32", "shape": [len(classes), OF], "data": data}
    return json.dumps({"model_name": "m", "model_version": "1", "outputs": [output]}).encode()


def answering(classes: Callable[[Received], tuple[int, ...]]) -> Handler:
    """A stub's handler that answers inference requests with these classes."""

    async def handler(request: Received) -> bytes | None:
        if request.path.endswith("/infer"):
            return ok(reply(*classes(request)), "Content-Type: application/json")
        return await answer(request)

    return handler
