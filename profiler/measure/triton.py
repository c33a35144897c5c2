"""What a Triton server says of itself and of its models, over gRPC."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc

from profiler.errors import ModelError, TritonGone
from profiler.measure.wire import Variant
from profiler.tensors import DTYPES, Tensor
from tailq.fingerprint import fingerprint
from tailq.profile import Server

# Of one gRPC message, bytes: batches of images are greater than gRPC's default of 4 MiB.
_UNLIMITED = -1
# A server that answers no question about itself for so long is gone.
_PATIENCE_S = 10.0
# Large models are read from slow disks.
_LOADING_S = 300.0
_NOT_EXPLICIT = "explicit model load"
# Larger batches make answers no faster on any device that a variant of a few seconds runs on.
_MOST_IN_BATCH = 32


def channel(address: str) -> Any:  # grpc is untyped
    """Open a connection of its own to Triton's gRPC port. address: "HOST:PORT"."""
    return grpc.insecure_channel(
        address,
        options=[
            ("grpc.max_send_message_length", _UNLIMITED),
            ("grpc.max_receive_message_length", _UNLIMITED),
            # Without this, channels to one address share a connection and wait for each other.
            ("grpc.use_local_subchannel_pool", 1),
        ],
    )


class Triton:
    """One Triton server."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._channel = channel(address)
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def server(self) -> Server:
        """Who it is. Raises TritonGone if it is not there or not ready."""
        ready = self._ask(self._stub.ServerReady, pb.ServerReadyRequest())
        if not ready.ready:
            raise TritonGone(f"Triton at {self.address} is not ready; see its log")
        said = self._ask(self._stub.ServerMetadata, pb.ServerMetadataRequest())
        return Server(name=said.name, version=said.version)

    def ready_models(self) -> list[str]:
        """Names of the models that are ready, in alphabetical order. Raises TritonGone."""
        index = self._ask(self._stub.RepositoryIndex, pb.RepositoryIndexRequest(ready=True))
        return sorted({model.name for model in index.models})

    def variant(self, name: str) -> Variant:
        """Describe the model `name`, with all its inputs and outputs.

        Raises ModelError if there is no such model or it cannot be profiled, TritonGone.
        """
        metadata = self._of_model(self._stub.ModelMetadata, pb.ModelMetadataRequest(name=name))
        said = self._of_model(self._stub.ModelConfig, pb.ModelConfigRequest(name=name))
        config = MessageToDict(
            said.config,
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
        )
        for tensor in metadata.inputs:
            if tensor.datatype not in DTYPES:
                raise ModelError(
                    f"input {tensor.name} of model {name} is {tensor.datatype}; supported are "
                    f"{', '.join(DTYPES)}"
                )
        most = int(said.config.max_batch_size)
        leading = most > 0 or all(_batch_of_its_own(tensor.shape) for tensor in metadata.inputs)
        version = max(metadata.versions, key=int, default="1")
        return Variant(
            name=name,
            version=version,
            fingerprint=fingerprint(name, version, metadata.platform, config),
            inputs=tuple(_tensor(tensor, leading=leading) for tensor in metadata.inputs),
            outputs=tuple(_tensor(tensor, leading=leading) for tensor in metadata.outputs),
            batch=min(max(most, 1), _MOST_IN_BATCH),
            leading=leading,
        )

    def config(self, name: str) -> dict[str, Any]:
        """The configuration of a model as Triton has it. Raises ModelError, TritonGone."""
        said = self._of_model(self._stub.ModelConfig, pb.ModelConfigRequest(name=name))
        config: dict[str, Any] = MessageToDict(said.config, preserving_proto_field_name=True)
        return config

    def load(self, name: str, config: dict[str, Any]) -> None:
        """Load a model again, with this configuration instead of its file's.

        Raises ModelError, also where Triton does not let clients load models; TritonGone.
        """
        request = pb.RepositoryModelLoadRequest(model_name=name)
        request.parameters["config"].string_param = json.dumps(config)
        try:
            self._stub.RepositoryModelLoad(request, timeout=_LOADING_S)
        except grpc.RpcError as error:
            details = error.details() or error.code().name
            if _NOT_EXPLICIT in details:
                raise ModelError(
                    f"Triton at {self.address} does not let clients load models ({details}); "
                    "start it with --model-control-mode=explicit --load-model=…"
                ) from None
            if error.code() == grpc.StatusCode.UNAVAILABLE:
                self.server()  # says so if it is the server that is gone
            raise ModelError(f"model {name} cannot be loaded: {details}") from None

    def check_serving(self, models: list[str]) -> None:
        """Raise TritonGone unless the server is there and all these models are ready."""
        try:
            self._ask(self._stub.ServerReady, pb.ServerReadyRequest())
            gone = [
                name
                for name in models
                if not self._ask(self._stub.ModelReady, pb.ModelReadyRequest(name=name)).ready
            ]
        except ModelError as error:
            raise TritonGone(str(error)) from None
        if gone:
            raise TritonGone(f"Triton at {self.address} no longer serves {', '.join(gone)}")

    def _of_model(self, method: Callable[..., Any], request: Any) -> Any:
        try:
            return self._ask(method, request)
        except ModelError:
            names = ", ".join(self.ready_models()) or "none"
            raise ModelError(
                f"Triton at {self.address} serves no model {request.name!r}; ready are: {names}"
            ) from None

    def _ask(self, method: Callable[..., Any], request: Any) -> Any:
        try:
            return method(request, timeout=_PATIENCE_S)
        except grpc.RpcError as error:
            details = error.details() or error.code().name
            gone = error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
            # Triton also says UNAVAILABLE of a model that it has but does not serve.
            if gone and "unknown model" not in details:
                raise TritonGone(
                    f"Triton at {self.address} (gRPC) does not answer: {details}"
                ) from None
            raise ModelError(f"Triton at {self.address}: {details}") from None


def _batch_of_its_own(shape: Sequence[int]) -> bool:
    """Without Triton's batching a model may still have a batch dimension of its own."""
    return len(shape) in (2, 4) and shape[0] in (-1, 1)


def _tensor(said: Any, *, leading: bool) -> Tensor:
    shape = tuple(int(size) for size in said.shape)
    return Tensor(said.name, said.datatype, shape[1:] if leading else shape)
