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

SequencesFile = Annotated[
    Path | None,
    Parameter(help="Lines of a user and items, `user item item ...`, the oldest first."),
]
EventsFile = Annotated[
    Path | None, Parameter(help="Events instead, as `wherefore events export` writes them.")
]


def recommend(
    *,
    sequences: SequencesFile = None,
    events: EventsFile = None,
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

        wherefore eval recommend --events events.jsonl.gz
    """
    require_extra("recommend", LIBRARIES)
    if out and not out.parent.is_dir():
        raise failures.CommandError(f"no folder {out.parent} for --out", code=failures.USAGE)
    data, known = read_data(sequences, attributes, events)
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


def read_data(
    sequences: Path | None, attributes: Path | None, events: Path | None = None
) -> tuple[SequenceData, Attributes | None]:
    """Read sequences, from a file of them or of events, and attributes.

    Raises:
        CommandError: Both or none are given, or one cannot be used.
    """
    from services.recommend.sequences import SequenceFileError, read_attributes, read_sequences

    try:
        if sequences and not events:
            data = read_sequences(sequences)
        elif events and not sequences:
            data = _of_events(events)
        else:
            raise failures.CommandError("give --sequences or --events", code=failures.USAGE)
        return data, read_attributes(attributes, data.items) if attributes else None
    except SequenceFileError as error:
        raise failures.CommandError(str(error), code=failures.USAGE) from error


def _of_events(path: Path) -> SequenceData:
    from services.recommend.sequences import SequenceFileError, sequences_of_events
    from shared.cli.event_file import read_events

    try:
        rows = list(read_events(path))
    except OSError as error:
        raise SequenceFileError(f"{path}: {error.strerror or error}") from error
    for row in rows:
        if row.event is None:
            raise SequenceFileError(f"{path}:{row.line}: {row.error}")
    return sequences_of_events(path, (row.event for row in rows if row.event is not None))
