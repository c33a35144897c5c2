"""Parameters that several commands of `tailq-profile` take."""

from pathlib import Path
from typing import Annotated

import typer

TritonAddress = Annotated[str, typer.Option(help="HOST:PORT of Triton's gRPC endpoint.")]
DatasetName = Annotated[
    str,
    typer.Option(
        help="fashion-mnist; or a folder with a folder of images for each class, a manifest "
        "(.csv or .jsonl with path and label, audio or input and text, or inputs and "
        "relevant), an .npz with inputs and labels, or a COCO .json."
    ),
]
TaskName = Annotated[
    str, typer.Option(help="What the models do: classification, detection, text or ranking.")
]
MetricName = Annotated[
    str | None,
    typer.Option(
        help="By which answers are judged: top-1, top-5, f1; map; wer; recall@10, ndcg@10; or "
        "an installed one of your own. [default: top-1, map, wer or ndcg@10]"
    ),
]
DeadlinesMs = Annotated[str, typer.Option(help="Deadlines to tell the quality at, milliseconds.")]
TimeoutS = Annotated[
    float, typer.Option(min=0.001, help="A request unanswered for so long has failed.")
]
Labels = Annotated[
    Path | None, typer.Option(help="File with the class names in the model's order.")
]
Images = Annotated[
    Path | None,
    typer.Option(help="Folder of the images that a COCO file names. [default: the file's own]"),
]
ImageSize = Annotated[
    str | None, typer.Option(help="WIDTHxHEIGHT, where the model takes images of any size.")
]
ImageLayout = Annotated[
    str | None, typer.Option(help="chw or hwc, where the model's shape does not tell.")
]
Scale = Annotated[
    float, typer.Option(help="Pixels (0 to 255) are multiplied by it.", show_default="1/255")
]
Mean = Annotated[str, typer.Option(help="Subtracted after it; one, or one a channel.")]
Std = Annotated[str, typer.Option(help="Divided by after it; one, or one a channel.")]
Restart = Annotated[bool, typer.Option("--restart", help="Discard what an interrupted run left.")]
