"""What is served beside the graph: the tokens that a reason needs, and the lexis."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from services.reason.train.grammar import Grammar
from services.reason.train.guard import Guard, guarded_words
from services.reason.train.lexis import Lexis
from services.reason.train.tokens import (
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

TOKENS: Final = "tokens.json"
GRAPH, FULL_GRAPH = "model.onnx", "model_fp32.onnx"
NETWORK: Final = "network.safetensors"
RECIPE: Final = 1
"""Raised when what is made of the weights changes, so that older graphs are made anew."""


def graphs_stamp(folder: Path) -> str:
    """Returns what the graphs of a version are made of.

    Raises:
        FileNotFoundError: It holds no weights.
    """
    narrow = not multiplies_bytes()
    digest = sha256(folder / NETWORK)
    return json.dumps({"weights": digest, "recipe": RECIPE, "opset": OPSET, "narrow": narrow})


def graphs_are_made(folder: Path) -> bool:
    """Whether both graphs of a version are up to date; loads no torch."""
    return is_current(folder, graphs_stamp(folder), (GRAPH, FULL_GRAPH))


def kept_ids(grammar: Grammar) -> list[int]:
    """Returns the ids that reasons are made of, ascending; that of PAD is the first.

    The rest of a vocabulary (copy, reviews) is never read or written when serving.
    """
    keys = [key.partition("/") for key in grammar.lexis.ids]
    named = [PAD, END, SAY, REASON, *(language_mark(language) for language, _, _ in keys)]
    named += [kind_mark(kind) for _, _, kind in keys]
    named += [place_mark(n) for n in range(1, len(grammar.places) + 1)]
    words = {index for ids in grammar.lexis.ids.values() for index in ids}
    return sorted({*words, *(grammar.tokens.id(mark) for mark in named)})


def write_tokens(grammar: Grammar, kept: Sequence[int], path: Path) -> None:
    """Writes texts and lexis under the ids that the kept tokens have in the graph."""
    new = {old: index for index, old in enumerate(kept)}
    known = grammar.lexis
    ids = {key: sorted(new[index] for index in old) for key, old in known.ids.items()}
    lexis = Lexis(ids, known.words, known.stems).content()
    texts = grammar.tokens.kept(kept).texts
    content = {"positions": grammar.positions, "texts": texts, "lexis": lexis}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    path.write_text(text + "\n", encoding="utf-8")


def read_grammar(folder: Path, banned: Sequence[str]) -> Grammar:
    """Returns the grammar of a folder that was exported.

    Args:
        folder: That holds tokens.json.
        banned: Words that the shop never says.
    """
    content = json.loads((folder / TOKENS).read_text(encoding="utf-8"))
    guard = Guard(guarded_words(banned))
    lexis = Lexis.of(content["lexis"])
    return Grammar(TokenTable(content["texts"]), lexis, guard, content["positions"])
