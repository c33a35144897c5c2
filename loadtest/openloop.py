"""Open-loop load: requests leave at their appointed times, whether or not earlier ones are back.

Latency is counted from the appointed time, not from when the client got round to sending: a
client that falls behind must not hide the queue it causes (coordinated omission).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import aiohttp
import numpy as np
import tritonclient.http.aio as triton
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException

from tailq.errors import TailqError
from tailq.samples import Samples
from tailq.tier import TierTable

# Longer than any deadline the gateway grants: an answer that is not here by then never comes.
ABANDON_S = 70.0


@dataclass(frozen=True)
class Stream:
    """The requests of one tier: arrival times [n] in seconds and the sample each carries [n]."""

    tier: str
    arrivals_s: NDArray[np.float64]
    samples: NDArray[np.int64]


@dataclass(frozen=True)
class Reply:
    """What became of one request.

    latency_s: from the appointed time to the answer or error. correct: answered right, whenever.
    variant, outcome: as the gateway names them; `error` and its text where there was no answer.
    """

    tier: str
    latency_s: float
    correct: bool
    variant: str | None
    outcome: str
    error: str | None = None


OnReply = Callable[[Reply], None]


@dataclass(frozen=True)
class Target:
    """Where the load goes: the gateway's address, and the service with its input's name."""

    address: str
    service: str
    input_name: str
    output_name: str


async def find_target(address: str, table: TierTable) -> Target:
    """Ask the gateway for the service's input and output.

    Raises TailqError if no gateway answers, or one whose promises rest on another profile.
    """
    service = table.service
    try:
        async with (
            aiohttp.ClientSession() as session,
            triton.InferenceServerClient(address) as client,
        ):
            metadata = await client.get_model_metadata(service)
            async with session.get(f"http://{address}/v1/tiers") as answer:
                served = await answer.json()
    except (InferenceServerException, aiohttp.ClientError, OSError) as error:
        raise TailqError(f"--gateway {address}: no gateway answers there ({error})") from None
    if served["profile"] != table.conditions.profile:
        raise TailqError(
            f"--gateway {address}: serves tiers of profile {served['profile']}, the table given "
            f"is of profile {table.conditions.profile}; give the table that it serves"
        )
    return Target(address, service, metadata["inputs"][0]["name"], metadata["outputs"][0]["name"])


async def drive(
    target: Target,
    streams: list[Stream],
    samples: Samples,
    on_reply: OnReply,
    learn: Callable[[str, int], None] = lambda _request_id, _label: None,
) -> None:
    """Send every request of every stream at its time and report each reply as it comes.

    learn: is told the id of each request that was answered, and the right class.
    """
    run = uuid4().hex
    loop = asyncio.get_running_loop()
    client = triton.InferenceServerClient(target.address, conn_limit=512, conn_timeout=ABANDON_S)

    async def one(stream: Stream, number: int, sample: int, appointed: float) -> None:
        request_id = f"{run}-{stream.tier}-{number}"
        told = await _ask(client, target, stream.tier, samples, sample, request_id)
        reply = told(loop.time() - appointed)
        on_reply(reply)
        if reply.error is None:
            learn(request_id, int(samples.labels[sample]))

    async def play(stream: Stream, start: float, group: asyncio.TaskGroup) -> None:
        appointments = zip(stream.arrivals_s, stream.samples, strict=True)
        for number, (arrival, sample) in enumerate(appointments):
            appointed = start + float(arrival)
            await asyncio.sleep(appointed - loop.time())
            group.create_task(one(stream, number, int(sample), appointed))

    async with client, asyncio.TaskGroup() as group:
        start = loop.time() + 0.1
        for stream in streams:
            group.create_task(play(stream, start, group))


async def _ask(
    client: triton.InferenceServerClient,
    target: Target,
    tier: str,
    samples: Samples,
    sample: int,
    request_id: str,
) -> Callable[[float], Reply]:
    headers = {"tailq-tier": tier, "tailq-request-id": request_id}
    batch = samples.inputs[sample : sample + 1]
    tensor = triton.InferInput(target.input_name, list(batch.shape), "FP32")
    tensor.set_data_from_numpy(batch)
    try:
        result = await client.infer(target.service, [tensor], headers=headers)
    except (InferenceServerException, aiohttp.ClientError, OSError, TimeoutError) as error:
        reason = str(error) or type(error).__name__
        return lambda latency: Reply(tier, latency, False, None, "error", reason)
    said = result.get_response().get("parameters", {})
    answer = int(np.argmax(result.as_numpy(target.output_name)[0]))
    correct = answer == int(samples.labels[sample])
    return lambda latency: Reply(
        tier, latency, correct, said.get("tailq_variant"), said.get("tailq_outcome", "unknown")
    )
