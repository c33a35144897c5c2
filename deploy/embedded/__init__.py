"""A real Triton Inference Server for machines without Docker, from the nvidia-pytriton wheel."""

from deploy.embedded.endpoints import Endpoints
from deploy.embedded.errors import (
    EmbeddedTritonError,
    RepositoryError,
    StartError,
    UnsupportedPlatformError,
)
from deploy.embedded.server import EmbeddedTriton

__all__ = [
    "EmbeddedTriton",
    "EmbeddedTritonError",
    "Endpoints",
    "RepositoryError",
    "StartError",
    "UnsupportedPlatformError",
]
