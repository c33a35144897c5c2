"""One request by an unmodified Triton client: python -m deploy.demo.ask HOST:PORT DATA [TIER]."""

import sys
from pathlib import Path

import numpy as np
import tritonclient.http as triton

from deploy.demo.steps import SERVICE
from tailq import samples

CLASSES = (
    *("T-shirt", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "boot"),
)


def main(gateway: str, data: Path, tier: str = "gold") -> None:
    """Ask for the class of the first unseen image and show what the gateway says about it."""
    labelled = samples.read(data)
    image = triton.InferInput("images", [1, 1, 28, 28], "FP32")
    image.set_data_from_numpy(labelled.inputs[:1])
    client = triton.InferenceServerClient(gateway)
    result = client.infer(SERVICE, [image], headers={"tailq-tier": tier})
    answer = CLASSES[int(np.argmax(result.as_numpy("logits")))]
    print(f"answer: {answer} (label: {CLASSES[labelled.labels[0]]})")
    for key, value in result.get_response()["parameters"].items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
