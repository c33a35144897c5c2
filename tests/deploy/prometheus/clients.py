"""Clients of a gateway that ask for labelled images, and tell it what was right."""

import json
import threading
from collections import Counter
from http.client import HTTPConnection
from typing import Self

import numpy as np

from profiler.datasets.base import ArrayDataset
from tests.gateway.process import GatewayProcess

PATH = "/v2/models/fashion/infer"


class Clients:
    """A context manager: `each` clients of each tier, one request at a time, until it is left.

    Every third of a client's requests gets feedback at once. count: requests of each client; None:
    they go on. sent: requests by tier. outcomes: of their answers. told: feedback that counted.
    """

    def __init__(
        self,
        gateway: GatewayProcess,
        data: ArrayDataset,
        tiers: tuple[str, ...],
        each: int = 1,
        count: int | None = None,
    ) -> None:
        self.sent: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.told = 0
        self._gateway = gateway
        self._data = data
        self._count = count
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._errors: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._guarded, args=(tier, number))
            for number in range(each)
            for tier in tiers
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.finished()

    def finished(self) -> None:
        """Wait until all have ended; what went wrong with one is raised."""
        for thread in self._threads:
            thread.join(120)
        if self._errors:
            raise self._errors[0]

    def _guarded(self, tier: str, number: int) -> None:
        try:
            self._ask(tier, number)
        except BaseException as error:  # noqa: BLE001  (raised where it is waited for)
            self._errors.append(error)

    def _ask(self, tier: str, number: int) -> None:
        samples = np.random.default_rng(number).permutation(len(self._data.labels))
        connection = HTTPConnection("127.0.0.1", self._gateway.port, timeout=30)
        asked = 0
        while not self._over.is_set() and asked != self._count:
            sample = int(samples[asked % len(samples)])
            request_id = self._one(connection, tier, sample)
            asked += 1
            if asked % 3 == 0:
                self._tell(connection, request_id, int(self._data.labels[sample]))
        connection.close()

    def _one(self, connection: HTTPConnection, tier: str, sample: int) -> str:
        """One request of an image; its id."""
        image = self._data.values[sample].astype("<f4")
        tensor = {
            "name": "images",
            "shape": [1, *image.shape],
            "datatype": "FP32",
            "parameters": {"binary_data_size": image.nbytes},
        }
        head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
        headers = {"tailq-tier": tier, "inference-header-content-length": str(len(head))}
        connection.request("POST", PATH, head + image.tobytes(), headers)
        answer = connection.getresponse()
        answer.read()
        with self._lock:
            self.sent[tier] += 1
            self.outcomes[answer.headers["tailq-outcome"]] += 1
        return answer.headers["tailq-request-id"]

    def _tell(self, connection: HTTPConnection, request_id: str, label: int) -> None:
        body = json.dumps({"request_id": request_id, "label": label})
        connection.request("POST", "/v1/feedback", body, {"content-type": "application/json"})
        answer = connection.getresponse()
        taken = json.loads(answer.read())["counts"]["taken"]
        with self._lock:
            self.told += taken
