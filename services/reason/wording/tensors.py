"""Reasons to write, as integers: what is sent to a model that runs elsewhere.

No text of a product leaves: a model needs kinds of evidence, which slots of it have text, and which
of these a clause must hold. The writer that asked fills them in.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.reason.wording.batch import Wanted
from services.reason.wording.filled import SLOTS, Filled
from services.reason.wording.served import TOKENS
from services.reason.wording.tokens import MAX_EVIDENCE, TokenTable, kind_mark, language_mark

EVIDENCE: Final = "evidence"
"""(rows, MAX_EVIDENCE, 3) int32: the token of the kind, 0 for none; slots that have text; slots
that are required. Slots are a sum of 2 to the power of their places in SLOTS."""
LANGUAGE: Final = "language"
"""(rows,) int32: the token of the language."""
SEED: Final = "seed"
"""(rows,) int64."""
VOCABULARY: Final = "vocabulary"
"""(1,) int64: what `vocabulary_id` says of the files of the caller."""
SECONDS: Final = "seconds"
"""(1,) float32: after these nobody waits any more."""
BANNED: Final = "banned"
"""(words,) bytes: what the shop never says, in UTF-8."""
ROW, TOKEN = "row", "token"
"""Of an answer, (steps,) int32 both: see `batch.Step`."""
_FILLER: Final = "\0"
"""Stands for the text of a slot where nobody reads it."""
_BYTES: Final = 8


def vocabulary_id(home: Path) -> int:
    """Returns what tells one vocabulary from another: 63 bits of a hash of its tokens and slots.

    Args:
        home: Folder of the model's version.
    """
    digest = hashlib.blake2b((home / TOKENS).read_bytes(), digest_size=_BYTES)
    digest.update(" ".join(SLOTS).encode())
    return int.from_bytes(digest.digest(), "big") >> 1


def to_tensors(wanted: Sequence[Wanted], tokens: TokenTable) -> dict[str, NDArray[Any]]:
    """Returns EVIDENCE, LANGUAGE and SEED of reasons.

    Args:
        wanted: Of kinds that the model knows, MAX_EVIDENCE each at most.
        tokens: Of the model.
    """
    evidence = np.zeros((len(wanted), MAX_EVIDENCE, 3), dtype=np.int32)
    for row, one in enumerate(wanted):
        for place, filled in enumerate(one.evidence):
            has = [slot for slot in SLOTS if filled.fills.get(slot)]
            numbers = tokens.id(kind_mark(filled.kind)), _mask(has), _mask(filled.required)
            evidence[row, place] = numbers
    language = np.array([tokens.id(language_mark(one.language)) for one in wanted], dtype=np.int32)
    return {
        EVIDENCE: evidence,
        LANGUAGE: language,
        SEED: np.array([one.seed for one in wanted], dtype=np.int64),
    }


def from_tensors(tensors: Mapping[str, NDArray[Any]], tokens: TokenTable) -> list[Wanted]:
    """Returns reasons out of `to_tensors`; their slots are told by fillers.

    Raises:
        ValueError: A shape or a token is not of that form.
    """
    evidence, language, seed = tensors[EVIDENCE], tensors[LANGUAGE], tensors[SEED]
    rows = len(language)
    if evidence.shape != (rows, MAX_EVIDENCE, 3) or seed.shape != (rows,):
        raise ValueError(f"{EVIDENCE}, {LANGUAGE} and {SEED} must have one row a reason")
    found: list[Wanted] = []
    for row in range(rows):
        said = [
            Filled(_kind(tokens, kind), dict.fromkeys(_slots(has), _FILLER), _slots(required))
            for kind, has, required in evidence[row].tolist()
            if kind
        ]
        named = _name(tokens, int(language[row]))
        found.append(Wanted(said, named, int(seed[row])))
    return found


def _mask(slots: Sequence[str]) -> int:
    return sum(1 << SLOTS.index(slot) for slot in slots)


def _slots(mask: int) -> tuple[str, ...]:
    return tuple(slot for place, slot in enumerate(SLOTS) if mask >> place & 1)


def _kind(tokens: TokenTable, index: int) -> str:
    name = _name(tokens, index)
    if not name.startswith("="):
        raise ValueError(f"token {index} is no kind of evidence")
    return name.removeprefix("=")


def _name(tokens: TokenTable, index: int) -> str:
    if not 0 <= index < len(tokens.texts) or not tokens.is_mark(index):
        raise ValueError(f"token {index} is no mark")
    return tokens.texts[index].strip("<>")
