"""Reading Triton's log after a failed start."""

import pytest

from deploy.embedded import serverlog

_LINE = 'E1123 06:14:07.112326 3506 model_lifecycle.cc:642] "{}"\n'
_NOISE = 'E1123 06:14:05.098517 3506 server.cc:241] "CudaDriverHelper has not been initialized."\n'


@pytest.mark.parametrize(
    ("message", "model", "reason"),
    [
        (
            r"failed to load 'a' version 1: Internal: Bad: 7 : no.\n\nAt:\n  /x.py(3): f\n",
            "a",
            "Internal: Bad: 7 : no.",
        ),
        (
            "failed to load model 'b': at least one version must be available under the version "
            "policy of model 'b'",
            "b",
            "at least one version must be available under the version policy of model 'b'. Put "
            "the model's file into a version folder, for example 1/model.onnx.",
        ),
        (
            "Poll failed for model directory 'c': failed to read text proto from /r/c/config.pbtxt",
            "c",
            "failed to read text proto from /r/c/config.pbtxt",
        ),
        (
            "failed to load 'd' version 1: Invalid argument: instance group d_0 of model d has "
            "kind KIND_GPU but no GPUs are available",
            "d",
            "Invalid argument: instance group d_0 of model d has kind KIND_GPU but no GPUs are "
            "available. Write KIND_CPU there, or leave the kind out to use a GPU where there is "
            "one.",
        ),
    ],
    ids=["python error", "no version", "bad configuration", "no GPU"],
)
def test_a_failed_model_is_named_with_reason_and_remedy(
    message: str, model: str, reason: str
) -> None:
    """Each form in which Triton reports a failed model yields name and reason, no traceback."""
    assert serverlog.failed_models(_NOISE + _LINE.format(message)) == {model: reason}


def test_without_a_failed_model_the_errors_are_shown() -> None:
    """Errors of the server itself are shown, harmless ones left out."""
    log = _NOISE + _LINE.format("disk on fire") + "error: creating server: Internal\n"
    text = serverlog.why_start_failed(log, 1)
    assert text == (
        "Triton ended with status 1 before it was ready:\n"
        "    disk on fire\n    error: creating server: Internal"
    )


def test_a_log_without_errors_shows_its_end() -> None:
    """When nothing is marked as an error, the last lines are shown."""
    assert serverlog.error_lines("one\n\ntwo\n", limit=1) == ["two"]
