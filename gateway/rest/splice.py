"""Our name and parameters in the JSON head of Triton's answer, without parsing what follows it.

Triton writes `{"model_name":…,"model_version":…,["id":…,]["parameters":{…},]"outputs":[…`. Only up
to the parameters is looked at, however long the outputs are; any other form is parsed as JSON.
"""

import json
import re
from typing import Final

_STRING: Final = rb'"(?:[^"\\]|\\.)*"'
_HEAD: Final = re.compile(
    rb'\{"model_name":' + _STRING + rb'((?:,"(?:model_version|id)":' + _STRING + rb")*),"
    rb'(?:"parameters":\{(\}?)|(?="outputs":))'
)


def splice(head: bytes, name: bytes, parameters: bytes) -> bytes | None:
    """`head` (a JSON object) with `name` as model_name and `parameters` added to its parameters.

    name: a JSON string, quoted. parameters: members of a JSON object, at least one, without the
    braces; their keys start with tailq_. None: `head` is not a JSON object.
    """
    match = _HEAD.match(head)
    # A model's own parameter of our name would come second and win: parse, so that ours does.
    if match is None or b'"tailq_' in head:
        return _parsed(head, name, parameters)
    between, empty = match.groups()
    after = (b"}", b",", b"},")[2 if empty is None else 0 if empty else 1]
    return b'{"model_name":%s%s,"parameters":{%s%s%s' % (
        name,
        between,
        parameters,
        after,
        head[match.end() :],
    )


def _parsed(head: bytes, name: bytes, parameters: bytes) -> bytes | None:
    try:
        content = json.loads(head)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return None
    theirs = content.get("parameters")
    content["model_name"] = json.loads(name)
    content["parameters"] = {
        **(theirs if isinstance(theirs, dict) else {}),
        **json.loads(b"{%s}" % parameters),
    }
    return json.dumps(content, separators=(",", ":")).encode()
