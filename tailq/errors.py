"""What can go wrong for a user, as a tree. Protocols translate these; nothing here knows them.

TailqError                  a user's mistake or a condition outside; its text names place and remedy
├── ArtefactError           a file of ours is missing, truncated, corrupt or of another version
└── BadRequest              a request asks for something that cannot be
    └── UnknownTier         no such tier, or none as strict as asked
"""


class TailqError(Exception):
    """Base of every error whose text is meant for a user: it names the place and the remedy."""


class ArtefactError(TailqError):
    """An artefact (profile, tier table, tier spec) cannot be read as what it should be."""


class BadRequest(TailqError):
    """A request asks for something malformed or out of bounds."""


class UnknownTier(BadRequest):
    """The asked tier does not exist; the text names those that do."""
