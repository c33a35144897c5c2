"""What can go wrong with the embedded Triton; one class for each thing an operator does about it.

TailqError
└── EmbeddedTritonError
    ├── UnsupportedPlatformError   install what the message names, or use a Triton of your own
    ├── RepositoryError            correct the model repository or the names given
    └── StartError                 read the lines shown; the whole log lies at the path shown
"""

from tailq.errors import TailqError


class EmbeddedTritonError(TailqError):
    """Base of every failure of the embedded Triton; its text is fit to be shown to a user."""


class UnsupportedPlatformError(EmbeddedTritonError):
    """The machine or interpreter cannot run the Triton of the wheel."""


class RepositoryError(EmbeddedTritonError):
    """The model repository is not there, is empty, or lacks a model that was asked for."""


class StartError(EmbeddedTritonError):
    """The server did not become ready, or not with every model."""
