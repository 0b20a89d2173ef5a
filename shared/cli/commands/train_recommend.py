"""`wherefore train recommend`: the model that tells the next item."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from shared.cli import failures, output
from shared.cli.commands.evaluate_recommend import EventsFile, SequencesFile, read_data
from shared.cli.extras import require_extra
from shared.cli.options import Json

LIBRARIES = ("torch", "scipy", "onnx", "onnxscript")
"""What training and the export need of the extra `recommend`, by import name."""


def recommend(
    *,
    sequences: SequencesFile = None,
    events: EventsFile = None,
    out: Annotated[
        Path, Parameter(help="Model repository of Triton; the model is written to next_item in it.")
    ],
    attributes: Annotated[
        Path | None, Parameter(help="JSON object of lists of attributes by item.")
    ] = None,
    minutes: Annotated[
        float, Parameter(help="Trains no longer.", validator=Number(gt=0, lte=24 * 60))
    ] = 15.0,
    threads: Annotated[int, Parameter(help="Of computation.", validator=Number(gte=1))] = 2,
    seed: Annotated[int, Parameter(help="Of weights, order and dropout.")] = 17,
    json: Json = False,
) -> int:
    """Train the transformer that tells a user's next item, for Triton.

    Needs the extra `recommend`, and no service. The last item of a user measures,
    the one before chooses the epoch, the rest trains; the model that is measured
    is the one that is written. An ONNX file that differs from the trained network
    is refused.

    For example:

        wherefore train recommend --sequences Beauty.txt --out models

        wherefore train recommend --sequences s.txt --attributes a.json --out models --json

        wherefore train recommend --events events.jsonl.gz --out models
    """
    require_extra("recommend", LIBRARIES)
    if out.exists() and not out.is_dir():
        raise failures.CommandError(f"--out {out} is no folder", code=failures.USAGE)
    data, known = read_data(sequences, attributes, events)
    from services.recommend.export import MODEL, ExportError
    from services.recommend.sequential import SequentialSettings
    from services.recommend.split import TooShortError
    from services.recommend.train import train

    settings = SequentialSettings(minutes=minutes, threads=threads, seed=seed)

    def tell(done: int, total: int) -> None:
        failures.say(f"epoch {done} of at most {total}")

    try:
        trained = train(data, known, out, settings, tell)
    except TooShortError as error:
        raise failures.CommandError(
            f"{sequences or events}: {error}", code=failures.USAGE
        ) from error
    except (ExportError, OSError) as error:
        raise failures.CommandError(f"cannot write the model: {error}") from error
    if json:
        output.print_json(trained.as_json())
    else:
        parity = trained.parity
        output.console().print(
            f"{trained.items:,} items of {trained.users:,} users, {trained.epochs} epochs\n"
            f"test: nDCG@10 {trained.test_ndcg:.4f}, HR@10 {trained.test_hits:.4f}\n"
            f"ONNX against torch, {parity.histories:,} histories: logits differ by at most "
            f"{parity.largest_difference:.1e}",
            highlight=False,
        )
    failures.say(f"written to {out / MODEL}")
    return failures.OK
