"""Pairs of texts: how well they match, and which of their words say so; requests to answers."""

from collections.abc import Callable, Sequence

import numpy as np

from services.nlu import validation
from services.nlu.embedding import encode_all
from services.nlu.learnt.cross import CrossEncoder
from services.nlu.learnt.models import Models
from services.nlu.messages import to_attribution
from shared.errors import UnavailableError
from shared.timing import StageTimer
from wherefore.nlu.v1 import nlu_service_pb2 as pb

_MATCH_STAGE = "nlu.match"
_ATTRIBUTION_STAGE = "nlu.attribution"


async def match(request: pb.MatchRequest, models: Callable[[], Models]) -> pb.MatchResponse:
    """Returns how well the texts of each pair match.

    Args:
        request: As it came.
        models: Gives the models that are open; asked once the request is known to be right.

    Raises:
        InvalidArgumentError: Names the field at fault.
        UnavailableError: The model is not there.
    """
    validation.check_count(len(request.pairs), validation.MAX_TEXTS, "pairs")
    pairs = [(pair.left, pair.right) for pair in request.pairs]
    left, right = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    validation.check_texts(left, validation.MAX_PAIR_TEXT, "pairs[{}].left")
    validation.check_texts(right, validation.MAX_PAIR_TEXT, "pairs[{}].right")
    if request.method == pb.MATCH_METHOD_CROSS_ENCODER:
        return await _match_together(pairs, models().cross)
    timer = StageTimer()
    encoder = models().encoder
    # One query against many titles is the usual case: every text is encoded once.
    texts = list(dict.fromkeys([*left, *right]))
    with timer.stage(_MATCH_STAGE) as stage:
        encoded = await encode_all(encoder, texts)
        stage.queue_nanos, stage.inference_nanos = encoded.queue_nanos, encoded.inference_nanos
    row = {text: index for index, text in enumerate(texts)}
    scores = np.einsum(
        "ij,ij->i",
        encoded.vectors[[row[text] for text in left]],
        encoded.vectors[[row[text] for text in right]],
    )
    # Rounding can carry the cosine of equal texts past 1.
    bounded: list[float] = np.clip(scores, -1.0, 1.0).tolist()
    return pb.MatchResponse(scores=bounded, model=encoder.model, timings=timer.timings())


async def attribute(
    request: pb.AttributeMatchRequest, models: Callable[[], Models]
) -> pb.AttributeMatchResponse:
    """Returns which words make each pair match; arguments and errors as of `match`."""
    validation.check_count(len(request.pairs), validation.MAX_ATTRIBUTED, "pairs")
    pairs = [(pair.left, pair.right) for pair in request.pairs]
    for side, texts in enumerate(zip(*pairs, strict=True)):
        name = ("left", "right")[side]
        validation.check_texts(texts, validation.MAX_PAIR_TEXT, f"pairs[{{}}].{name}")
    attributor = models().attributor
    if attributor is None:
        raise UnavailableError("no model that attributes a match is installed")
    timer = StageTimer()
    with timer.stage(_ATTRIBUTION_STAGE) as stage:
        made = await attributor.attribute(pairs)
        stage.queue_nanos, stage.inference_nanos = made.queue_nanos, made.inference_nanos
    return pb.AttributeMatchResponse(
        attributions=map(to_attribution, made.pairs),
        model=attributor.model,
        timings=timer.timings(),
    )


async def _match_together(
    pairs: Sequence[tuple[str, str]], cross: CrossEncoder | None
) -> pb.MatchResponse:
    if cross is None:
        raise UnavailableError("no cross-encoder is installed")
    timer = StageTimer()
    with timer.stage(_MATCH_STAGE) as stage:
        scores = await cross.score(pairs)
        stage.queue_nanos, stage.inference_nanos = scores.queue_nanos, scores.inference_nanos
    probabilities: list[float] = scores.probabilities.tolist()
    return pb.MatchResponse(scores=probabilities, model=cross.model, timings=timer.timings())
