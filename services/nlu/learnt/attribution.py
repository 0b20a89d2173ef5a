"""What each word of a pair did to the cross-encoder's logit: token attributions, grouped by word.

Integrated gradients (Sundararajan, Taly and Yan, "Axiomatic attribution for deep networks", 2017):
what a token adds is the slope of the logit along the way from [MASK] to the token, averaged over
the way. They sum to the logit less that of the baseline, up to the error of the average, a
Gauss-Legendre quadrature here. The model is the cross-encoder's derivative as a graph
(`services.nlu.train.export` makes it), so nothing here differentiates.

A baseline must say nothing, and a pair in which all is masked says "the two are alike". So there
are two: the words of the right text count from a text of [MASK] under the same left one, those of
the left from a left text of [MASK] over the same right one.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from services.nlu.learnt.reader import SEGMENTS
from shared.deadline import current_deadline
from shared.errors import DeadlineExceededError, ResourceExhaustedError, UnavailableError
from shared.inference import InferenceSettings, TensorModel
from shared.reading_queue import ReadingQueue

SLOPES: Final = "slopes"
MATCH: Final = "match"
SHARES: Final = "shares"
WHOLE: Final = 1 << 20
"""Share of the way at which a token is itself; shares travel as integers."""
STEPS: Final = 16
"""Nodes of the quadrature, for each of the two ways."""
_BASELINES: Final = 3
"""Passes more: the pair itself, and without either text."""
_WARP: Final = 1.5
"""The share of the way is u^1.5, u being what the nodes divide: near the baseline, where words
begin to be told apart, the logit changes most."""
_ROWS_A_PASS: Final = 16
_TOKENS_A_PASS: Final = 320
"""A derivative keeps what every layer made: more rows at once would only take more memory."""
TOKENS_A_REQUEST: Final = 640
"""All pairs of a request together: some 35 passes over each token is what a request may cost."""
_MOST_SECONDS: Final = 60.0
"""What a request may take, however long its caller would wait: others wait too."""
_TIME_SHARE: Final = 0.8
"""Of the caller's time, that waiting and work may take: it is told before it has gone."""
_FIRST_GUESS: Final = 0.02
"""Seconds a token with all its passes, until the first request has told: what a free core takes."""
_RETRY_SECONDS: Final = 1.0
_TELLING_SECONDS: Final = 0.5
"""Passes that took so long tell how long the others take."""
_CHARACTERS_A_TOKEN: Final = 32
_WITHIN: Final = frozenset("-.'’&+")
"""Signs that stand within words."""


Rows = NDArray[np.int32]
Slopes = Callable[[Rows, Rows, Rows], Awaitable[tuple[NDArray[np.float64], NDArray[np.float64]]]]
"""Ids, segments and shares, each (rows, tokens), to slopes (rows, tokens) and logits (rows,)."""


@dataclass(frozen=True, slots=True)
class AttributedWord:
    """A word of a text, its half-open span in code points, and the log-odds that it added."""

    text: str
    start: int
    end: int
    attribution: float


@dataclass(frozen=True, slots=True)
class Attribution:
    """One pair. Words of a side sum to `logit` less that without the side, about."""

    logit: float
    without_left: float
    without_right: float
    left: Sequence[AttributedWord]
    right: Sequence[AttributedWord]


@dataclass(frozen=True, slots=True)
class Attributions:
    """Pairs in their order, and where the time went."""

    pairs: Sequence[Attribution]
    queue_nanos: int
    inference_nanos: int


class MatchAttributor:
    """Attributes pairs; it closes its model with itself.

    Args:
        model: With the outputs SLOPES (tokens, 1) and MATCH (1).
        settings: Where its tokenizer lies, and its limits.

    Raises:
        UnavailableError: The tokenizer is missing.
    """

    def __init__(self, model: TensorModel, settings: InferenceSettings) -> None:
        self._model = model
        path = settings.version_dir / "tokenizer.json"
        if not path.is_file():
            raise UnavailableError(f"{path} is missing; `make models` makes it")
        self._path = path
        self._max_tokens = settings.max_tokens
        self._tokenizers: dict[int, Any] = {}
        self._tokenizer(settings.max_tokens)
        self._longest = settings.max_tokens * _CHARACTERS_A_TOKEN
        self._queue = ReadingQueue(1, first_guess=_FIRST_GUESS)
        self.model = model.model

    async def attribute(self, pairs: Sequence[tuple[str, str]]) -> Attributions:
        """Attributes pairs, one after another: each is a batch of passes already.

        Requests take turns at the model, which a second one would only make late, and what cannot
        be done in time is told as soon as that is known.

        Args:
            pairs: Texts of any length; what is beyond the window is cut from the longer one. The
                windows of all pairs are 640 tokens together at most.

        Raises:
            UnavailableError: The model cannot be reached.
            DeadlineExceededError: It did not answer within the caller's deadline.
            ResourceExhaustedError: It would not.
        """
        window = min(self._max_tokens, TOKENS_A_REQUEST // max(1, len(pairs)))
        tokenizer = await asyncio.to_thread(self._tokenizer, window)
        cuts = [(left[: self._longest], right[: self._longest]) for left, right in pairs]
        encodings: list[Any] = [await asyncio.to_thread(tokenizer.encode, *cut) for cut in cuts]
        found: list[Attribution] = []
        queue = inference = 0

        async def run(
            ids: Rows, kinds: Rows, shares: Rows
        ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            nonlocal queue, inference
            inputs = {"input_ids": ids, SEGMENTS: kinds, SHARES: shares}
            forwarded = await self._model.run(inputs, (SLOPES, MATCH), urgent=False)
            queue += forwarded.queue_nanos
            inference += forwarded.inference_nanos
            pace.made(ids.size)
            slopes, match = forwarded.outputs[SLOPES], forwarded.outputs[MATCH]
            return slopes[..., 0].astype(np.float64), match[:, 0].astype(np.float64)

        async with self._turn(sum(len(encoding.ids) for encoding in encodings)) as pace:
            for cut, encoding in zip(cuts, encodings, strict=True):
                ids, kinds = (
                    np.array(each, dtype=np.int32) for each in (encoding.ids, encoding.type_ids)
                )
                values, logit, without = await integrate(run, ids, kinds)
                sides = (_words(text, encoding, side, values) for side, text in enumerate(cut))
                found.append(Attribution(logit, *without, *sides))
        return Attributions(found, queue, inference)

    @asynccontextmanager
    async def _turn(self, tokens: int) -> AsyncGenerator["_Pace"]:
        """Holds the model for so many tokens; see `attribute`."""
        deadline = current_deadline()
        patience = min(deadline.remaining() * _TIME_SHARE, _MOST_SECONDS)
        try:
            async with self._queue.place(max(1, tokens), patience) as place, place.turn() as left:
                yield _Pace(tokens * (_BASELINES + 2 * STEPS), left)
        except DeadlineExceededError as error:
            if deadline.expired:
                raise
            raise ResourceExhaustedError("the model has too much to do", _RETRY_SECONDS) from error

    def _tokenizer(self, window: int) -> Any:
        """Returns the tokenizer that cuts pairs to a window, kept for each count of pairs."""
        if window not in self._tokenizers:
            # The library is written in Rust and its stubs leave most arguments unknown.
            made: Any = Tokenizer.from_file(str(self._path))
            made.no_padding()
            made.enable_truncation(max_length=window)
            self._tokenizers[window] = made
        return self._tokenizers[window]

    async def close(self) -> None:
        """Lets go of the model."""
        await self._model.close()


class _Pace:
    """Whether a request is done in time, as far as its passes tell so far.

    Args:
        total: Tokens of all passes.
        seconds: That they may take.
    """

    def __init__(self, total: int, seconds: float) -> None:
        self._total, self._seconds = total, seconds
        self._done = 0
        self._started = time.monotonic()

    def made(self, tokens: int) -> None:
        """Notes a pass.

        Raises:
            ResourceExhaustedError: The others would not be done in time.
        """
        self._done += tokens
        took = time.monotonic() - self._started
        needed = took / self._done * self._total
        if took > _TELLING_SECONDS and needed > self._seconds:
            raise ResourceExhaustedError(
                f"this would take {needed:.0f} s, more than there are: send fewer or shorter texts",
                _RETRY_SECONDS,
            )


async def integrate(
    run: Slopes, ids: Rows, kinds: Rows, steps: int = STEPS
) -> tuple[NDArray[np.float64], float, tuple[float, float]]:
    """Attributes one pair.

    Args:
        run: The derivative.
        ids: (tokens,) of the pair.
        kinds: (tokens,) 0 for the tokens of the left text, 1 for those of the right.
        steps: Nodes of the quadrature, for each of the two ways.

    Returns:
        (tokens,) what each token added, the logit, and the logits without the left words and
        without the right ones.
    """
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    even = (nodes + 1.0) / 2.0
    on_way, counts = even**_WARP, weights / 2.0 * _WARP * even ** (_WARP - 1.0)
    ones = np.ones(steps)
    # The pair itself and the two baselines take part without a count. Columns: left, right.
    ways = np.array(
        [(1.0, 1.0), (0.0, 1.0), (1.0, 0.0), *zip(on_way, ones, strict=True),
         *zip(ones, on_way, strict=True)]
    )  # fmt: skip
    shares = np.rint(ways[:, kinds] * WHOLE).astype(np.int32)
    at_once = min(_ROWS_A_PASS, max(1, _TOKENS_A_PASS // len(ids)))
    slopes: list[NDArray[np.float64]] = []
    logits: list[NDArray[np.float64]] = []
    for start in range(0, len(shares), at_once):
        part = shares[start : start + at_once]
        rows = np.repeat(ids[None], len(part), axis=0), np.repeat(kinds[None], len(part), axis=0)
        one, two = await run(*rows, part)
        slopes.append(one)
        logits.append(two)
    slope, logit = np.concatenate(slopes)[_BASELINES:], np.concatenate(logits)
    values = np.where(kinds == 0, counts @ slope[:steps], counts @ slope[steps:])
    return values, float(logit[0]), (float(logit[1]), float(logit[2]))


def _words(
    text: str, encoding: Any, side: int, values: NDArray[np.float64]
) -> list[AttributedWord]:
    """The words of one side; a sign belongs to the word that it stands at."""
    spans: list[tuple[int, int]] = []
    sums: list[float] = []
    for at, (start, end) in enumerate(encoding.offsets):
        if encoding.sequence_ids[at] != side or end <= start:
            continue
        if spans and spans[-1][1] == start and _joined(text[spans[-1][0] : start], text[start:end]):
            spans[-1] = spans[-1][0], end
            sums[-1] += float(values[at])
        else:
            spans.append((start, end))
            sums.append(float(values[at]))
    trimmed = [_trimmed(text, start, end) for start, end in spans]
    return [
        AttributedWord(text[start:end], start, end, value)
        for (start, end), value in zip(trimmed, sums, strict=True)
    ]


def _joined(word: str, piece: str) -> bool:
    """Whether a piece that follows without a blank is part of the word: "DVD/Blu-Ray" are two."""
    bare = not any(map(str.isalnum, word)) or not any(map(str.isalnum, piece))
    return bare or word[-1].isalnum() or word[-1] in _WITHIN


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without signs at its ends; a word of signs alone keeps them."""
    inner = [at for at in range(start, end) if text[at].isalnum()]
    return (inner[0], inner[-1] + 1) if inner else (start, end)
