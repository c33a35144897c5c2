"""Which models a Triton model repository holds, and checks of the names a user gives."""

from collections.abc import Sequence
from pathlib import Path

from deploy.embedded.errors import RepositoryError


def models_to_serve(repository: Path, models: Sequence[str] | None) -> list[str]:
    """Names of the models a server started on `repository` must have ready.

    repository: folder with one folder for each model. models: the ones to serve; None for all.
    Raises RepositoryError when there is no such folder, no model in it, or not the model asked for.
    """
    if not repository.is_dir():
        raise RepositoryError(
            f"model repository {repository}: no such folder. Give the folder that holds one "
            "folder for each model, for example model_repository/fashion."
        )
    present = sorted(
        path.name for path in repository.iterdir() if path.is_dir() and _is_model(path)
    )
    if not present:
        raise RepositoryError(
            f"model repository {repository}: no model in it. Each model is a folder with "
            "config.pbtxt and a version folder such as 1/model.onnx."
        )
    if models is None:
        return present
    if not models:
        raise RepositoryError(f"model repository {repository}: the list of models is empty.")
    for name in models:
        if name not in present:
            raise RepositoryError(
                f"model repository {repository}: no model {name!r}; there are: "
                f"{', '.join(present)}."
            )
    return list(dict.fromkeys(models))


def _is_model(path: Path) -> bool:
    if path.name.startswith((".", "_")):
        return False
    if (path / "config.pbtxt").is_file():
        return True
    return any(child.is_dir() and child.name.isdigit() for child in path.iterdir())
