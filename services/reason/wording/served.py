"""What is read of an exported model beside its graph: the tokens of reasons, and the lexis."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from services.reason.wording.grammar import Grammar
from services.reason.wording.guard import Guard, guarded_words
from services.reason.wording.lexis import Lexis
from services.reason.wording.tokens import TokenTable

TOKENS: Final = "tokens.json"
GRAPH, FULL_GRAPH = "model.onnx", "model_fp32.onnx"
SERVED_GRAPH: Final = FULL_GRAPH
"""With numbers of 8 bits the reasons that are written together would share their scales, and change
each other's words; at this size they save no time either."""


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
