"""What export leaves of a model: the tokens that a reason needs, the lexis, current graphs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from services.reason.wording.grammar import Grammar
from services.reason.wording.lexis import CLOSE, START, Lexis
from services.reason.wording.served import FULL_GRAPH, GRAPH
from services.reason.wording.tokens import (
    END,
    PAD,
    REASON,
    SAY,
    TokenTable,
    kind_mark,
    language_mark,
    place_mark,
)
from shared.inference.onnx_files import OPSET, is_current, multiplies_bytes, sha256

NETWORK: Final = "network.safetensors"
ADAPTED: Final = "hugging_face"
"""Folder that holds an adapted model as transformers writes it, in place of NETWORK."""
_WEIGHTS: Final = "model.safetensors"
RECIPE: Final = 1
"""Raised when what is made of the weights changes, so that older graphs are made anew."""


def graphs_stamp(folder: Path) -> str:
    """Returns what the graphs of a version are made of.

    Raises:
        FileNotFoundError: It holds no weights.
    """
    narrow = not multiplies_bytes()
    digest = sha256(folder / ADAPTED / _WEIGHTS if is_of_hugging_face(folder) else folder / NETWORK)
    return json.dumps({"weights": digest, "recipe": RECIPE, "opset": OPSET, "narrow": narrow})


def is_of_hugging_face(folder: Path) -> bool:
    """Whether a version is of an adapted model; one of our own has two graphs, this one."""
    return (folder / ADAPTED).is_dir()


def graphs_are_made(folder: Path) -> bool:
    """Whether the graphs of a version are up to date; loads no torch."""
    names = (FULL_GRAPH,) if is_of_hugging_face(folder) else (GRAPH, FULL_GRAPH)
    return is_current(folder, graphs_stamp(folder), names)


def kept_ids(grammar: Grammar) -> list[int]:
    """Returns the ids that reasons are made of: that of PAD, then the others, ascending.

    The rest of a vocabulary (copy, reviews) is never read or written when serving.
    """
    keys = [key.partition("/") for key in grammar.lexis.ids]
    named = [PAD, END, SAY, REASON, *(language_mark(language) for language, _, _ in keys)]
    named += [kind_mark(kind) for _, _, kind in keys]
    named += [place_mark(n) for n in range(1, len(grammar.places) + 1)]
    words = {index for ids in grammar.lexis.ids.values() for index in ids}
    pad = grammar.tokens.id(PAD)
    return [pad, *sorted({*words, *(grammar.tokens.id(mark) for mark in named)} - {pad})]


def write_tokens(grammar: Grammar, kept: Sequence[int], path: Path) -> None:
    """Writes texts and lexis under the ids that the kept tokens have in the graph.

    Raises:
        ValueError: A reader of the texts would not find the marks that the model was taught.
    """
    new = {old: index for index, old in enumerate(kept)}
    known = grammar.lexis
    ids = {key: sorted(new[index] for index in old) for key, old in known.ids.items()}
    new |= {START: START, CLOSE: CLOSE}
    follow = {
        new[old]: frozenset(new[each] for each in after) for old, after in known.follow.items()
    }
    lexis = Lexis(ids, known.words, known.stems, follow).content()
    table = grammar.tokens.kept(kept)
    if strange := TokenTable(table.texts).marks ^ table.marks:
        raise ValueError(f"marks or text: {', '.join(sorted(strange))}")
    content = {"positions": grammar.positions, "texts": table.texts, "lexis": lexis}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    path.write_text(text + "\n", encoding="utf-8")
