"""Reading and writing JSON artefacts: validated on the way in, atomic on the way out."""

import os
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from tailq.errors import ArtefactError

Model = TypeVar("Model", bound=BaseModel)


def parse(text: str | bytes, model: type[Model], *, place: str) -> Model:
    """Validate JSON `text` as `model`; `place` (a path or URL) is named in the error.

    Raises ArtefactError with the path of the first few offending fields.
    """
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise ArtefactError(f"{place}: {explain(error)}") from None


def explain(error: ValidationError, most: int = 3) -> str:
    """Name the offending fields of a validation error, `most` of them, in one line."""
    problems = [
        f"{'.'.join(str(part) for part in problem['loc']) or 'content'}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_context=False)
    ]
    more = f" (and {len(problems) - most} more)" if len(problems) > most else ""
    return "; ".join(problems[:most]) + more


def read(path: Path, model: type[Model]) -> Model:
    """Read a JSON file as `model`. Raises ArtefactError if it is missing or not valid."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be read ({error.strerror})") from None
    return parse(text, model, place=str(path))


def write(path: Path, model: BaseModel) -> None:
    """Write `model` as JSON to `path`, all of it or nothing, readable by people."""
    write_bytes(path, (model.model_dump_json(indent=2) + "\n").encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically: to a neighbour, synced, then renamed over it.

    Raises ArtefactError if the disk or the folder does not allow it; `path` is then as it was.
    """
    neighbour = path.parent / f".{path.name}.{os.getpid()}"  # with_name refuses "/" and "."
    try:
        with neighbour.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        neighbour.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be written ({error.strerror})") from None
    finally:  # whatever ended it, Ctrl-C too; after the rename there is nothing to remove
        with suppress(OSError):
            neighbour.unlink()


def sync_folder(folder: Path) -> None:
    """Make the names inside `folder` (new, renamed or removed files) survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
