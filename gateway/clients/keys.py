"""API keys: 256 random bits, shown once; only their SHA-256 is ever stored, compared or looked up.

A hash without salt or stretching is enough, since there is nothing to guess in 256 random bits.
"""

import hashlib
import re
import secrets
from typing import Final

from gateway.errors import Unauthorized

# Told by its beginning, so that scanners for leaked secrets find it.
_PREFIX: Final = "tailq_"
_BITS: Final = 256
_BEARER: Final = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] +([!-~]{1,256})")


def new() -> str:
    """A key that nobody has yet."""
    return _PREFIX + secrets.token_urlsafe(_BITS // 8)


def digest(key: bytes) -> str:
    """What is stored of a key: its SHA-256 in lower-case hexadecimal."""
    return hashlib.sha256(key).hexdigest()


def digest_of(authorization: bytes) -> str:
    """The digest of the key in an `Authorization` header. Raises Unauthorized if there is none.

    The scheme's case does not matter (RFC 9110, section 11.1).
    """
    found = _BEARER.fullmatch(authorization)
    if found is None:
        raise Unauthorized("Authorization must be: Bearer KEY")
    return digest(found[1])
