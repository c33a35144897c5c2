"""`tailq-profile probes`: probes for a profile that was measured before."""

from contextlib import closing
from pathlib import Path

from profiler.datasets import Dataset
from profiler.errors import DatasetError
from profiler.measure.triton import Triton
from profiler.probes.make import MOST, make, told
from profiler.record.observations import open_profile
from tailq import probes


def add_probes(
    folder: Path, triton: str, dataset: Dataset, out: Path | None = None, most: int = MOST
) -> str:
    """Make probes of the profile in `folder`, write them, and say how good they are.

    triton: HOST:PORT (gRPC) of one that serves the variants, to know what they take. out: None for
    the profile's own folder. Raises TailqError, DatasetError if the data are not the profile's.
    """
    opened = open_profile(folder)
    profile = opened.profile
    if dataset.sha256 != profile.dataset.sha256:
        raise DatasetError(
            f"{dataset.name}: is not what {folder} was measured with ({profile.dataset.name}); "
            "give the same data, prepared in the same way"
        )
    with closing(Triton(triton)) as server:
        variants = [server.variant(variant.name) for variant in profile.variants]
    made = make(profile, opened.answers, opened.observations, dataset, variants, most)
    path = out or folder / probes.FILE
    probes.write(path, made)
    return f"{path}: {told(made, profile)}"
