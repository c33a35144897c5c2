"""Reads what a failed start left in Triton's log."""

import re
from collections.abc import Mapping
from pathlib import Path

# Triton logs one message a line; line breaks inside a message are the two characters \n.
_LOGGED = re.compile(r'^[EF]\d{4} \S+ \d+ \S+\] "?(?P<text>.*?)"?$', re.MULTILINE)
_PLAIN = re.compile(r"^(?:error: |\S*tritonserver: ).*$", re.MULTILINE)
_FAILED_MODEL = (
    re.compile(r"^failed to load '(?P<model>[^']+)' version \d+: (?P<reason>.*)$"),
    re.compile(r"^failed to load model '(?P<model>[^']+)': (?P<reason>.*)$"),
    re.compile(r"^Poll failed for model directory '(?P<model>[^']+)': (?P<reason>.*)$"),
)
_PYTHON_TRACE = r"\n\nAt:\n"
_HARMLESS = "CudaDriverHelper has not been initialized"
_PORT_TAKEN = re.compile(r"already in use|failed to bind", re.IGNORECASE)
_REMEDIES = {
    "has kind KIND_GPU but": "Write KIND_CPU there, or leave the kind out to use a GPU where "
    "there is one.",
    "unable to find backend library": "The embedded Triton has the backends onnxruntime and "
    "python.",
    "ModuleNotFoundError": "Install it for this Python: pip install 'tailq[embedded]'.",
    "at least one version must be available": "Put the model's file into a version folder, for "
    "example 1/model.onnx.",
}


def failed_models(log: str) -> dict[str, str]:
    """Model name to reason (and remedy, where there is a known one) of each failed load."""
    found = {}
    for logged in _LOGGED.finditer(log):
        for pattern in _FAILED_MODEL:
            match = pattern.match(logged["text"])
            if match is not None:
                found[match["model"]] = _explain(match["reason"])
    return found


def port_was_taken(log: str) -> bool:
    """Whether the server ended because one of its ports was not free."""
    return _PORT_TAKEN.search(log) is not None


def error_lines(log: str, limit: int = 12) -> list[str]:
    """The last `limit` messages of severity error or fatal; without any, the last lines."""
    telling = [match["text"] for match in _LOGGED.finditer(log) if _HARMLESS not in match["text"]]
    telling += _PLAIN.findall(log)
    return (telling or [line for line in log.splitlines() if line.strip()])[-limit:]


def why_start_failed(log: str, status: int | None) -> str:
    """A text for the user: each failed model with its reason, else the telling lines.

    log: what this start logged. status: exit status of the server; None where it runs on
    without being ready.
    """
    failed = failed_models(log)
    if failed:
        return describe_models(failed)
    if status is None:
        head, lines = "Triton did not become ready in time. Its last words:", log.splitlines()[-8:]
    else:
        head, lines = f"Triton ended with status {status} before it was ready:", error_lines(log)
    return "\n".join([head, *(f"    {line}" for line in lines)])


def describe_models(failed: Mapping[str, str]) -> str:
    """One line for each model that failed to load; `failed` maps its name to the reason."""
    return "\n".join(
        f"model {name!r} failed to load: {reason}" for name, reason in sorted(failed.items())
    )


def size_of(path: Path) -> int:
    """Bytes in the log now: where the next start's part begins."""
    return path.stat().st_size if path.exists() else 0


def read_from(path: Path, offset: int) -> str:
    """The text of `path` from byte `offset` on."""
    with path.open("rb") as stream:
        stream.seek(offset)
        return stream.read().decode(errors="replace")


def _explain(reason: str) -> str:
    reason = reason.partition(_PYTHON_TRACE)[0].replace(r"\n", " ").strip()
    for symptom, remedy in _REMEDIES.items():
        if symptom in reason:
            return f"{reason.rstrip('.')}. {remedy}"
    return reason
