"""What a request can get wrong at the gateway, below tailq.errors.BadRequest.

BadRequest              a request asks for something that cannot be
├── UnknownModel        no such service, or no such version of it
├── TooLarge            the body is over the limit
└── LengthRequired      neither a length nor chunks: the body's end would be a guess

Protocols translate these; nothing here knows a status code.
"""

from tailq.errors import BadRequest


class UnknownModel(BadRequest):
    """The asked model or version is not served here; the text names what is."""


class TooLarge(BadRequest):
    """The request's body is larger than the gateway accepts."""


class LengthRequired(BadRequest):
    """The request does not say where its body ends."""
