"""`wherefore eval recommend`: models of recommendation on sequences, offline."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from shared.cli import failures, output
from shared.cli.extras import require_extra
from shared.cli.options import Json

if TYPE_CHECKING:
    from services.recommend.sequences import Attributes, SequenceData

LIBRARIES = ("torch", "scipy", "implicit")
"""What the extra `recommend` brings, by import name."""


def recommend(
    *,
    sequences: Annotated[
        Path, Parameter(help="Lines of a user and items, `user item item ...`, the oldest first.")
    ],
    attributes: Annotated[
        Path | None, Parameter(help="JSON object of lists of attributes by item.")
    ] = None,
    out: Annotated[
        Path | None,
        Parameter(help="Write the JSON report to this file too, with nDCG@10 of each user."),
    ] = None,
    minutes: Annotated[
        float,
        Parameter(
            help="The sequential model trains no longer.", validator=Number(gt=0, lte=24 * 60)
        ),
    ] = 15.0,
    threads: Annotated[int, Parameter(help="Of computation.", validator=Number(gte=1))] = 2,
    json: Json = False,
) -> int:
    """Measure models of recommendation on sequences, offline.

    Needs the extra `recommend`, and no service.

    Leave-one-out: the last item of a user tests, the one before validates, the
    rest trains. A sequence below 3 items only trains. Every model ranks all items,
    without sampled negatives, but for those that stood in the user's sequence
    before. Settings, epochs and the blend's weights are chosen on validation
    items, never on test items.

    HR@10: share of users whose item is among the first 10. nDCG@10: mean of
    1 / log2(1 + rank) of that item, or 0. coverage@10: share of all items in any
    user's first 10. novelty@10: mean -log2 of the share of users who had the
    listed item in training, in bits.

    Models: popularity, item-item neighbours, ALS and BPR of the library implicit, a
    causal transformer (SASRec with the full softmax), and a blend of all; with
    attributes also content, and the transformer and the blend use them.

    For example:

        wherefore eval recommend --sequences Beauty.txt

        wherefore eval recommend --sequences s.txt --attributes a.json --json
    """
    require_extra("recommend", LIBRARIES)
    if out and not out.parent.is_dir():
        raise failures.CommandError(f"no folder {out.parent} for --out", code=failures.USAGE)
    data, known = read_data(sequences, attributes)
    from services.recommend.evaluation import EvaluationSettings, evaluate
    from services.recommend.sequential import SequentialSettings
    from services.recommend.split import TooShortError
    from shared.cli import recommend_evaluation_view

    settings = EvaluationSettings(sequential=SequentialSettings(minutes=minutes), threads=threads)
    with recommend_evaluation_view.stage_progress() as progress:
        try:
            evaluation = evaluate(data, known, settings, progress)
        except TooShortError as error:
            raise failures.CommandError(f"{sequences}: {error}", code=failures.USAGE) from error
    document = evaluation.as_json()
    if out:
        whole = document | {"ndcg@10_by_user": evaluation.by_user()}
        out.write_text(json_module.dumps(whole) + "\n", encoding="utf-8")
    if json:
        output.print_json(document)
    else:
        output.console().print(recommend_evaluation_view.table(evaluation))
    for note in recommend_evaluation_view.notes(evaluation):
        failures.say(note)
    return failures.OK


def read_data(sequences: Path, attributes: Path | None) -> tuple[SequenceData, Attributes | None]:
    """Read files of sequences and attributes.

    Raises:
        CommandError: One cannot be used.
    """
    from services.recommend.sequences import SequenceFileError, read_attributes, read_sequences

    try:
        data = read_sequences(sequences)
        return data, read_attributes(attributes, data.items) if attributes else None
    except SequenceFileError as error:
        raise failures.CommandError(str(error), code=failures.USAGE) from error
