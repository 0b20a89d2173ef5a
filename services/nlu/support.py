"""Support: which of a shop's usual concerns an utterance is about, by keyword rules.

Labels are those that customer-service teams use; the rules are data (`data/support_rules.tsv`).
Verbs and nouns must come together: "shipping labels" and "order form" are things that shops sell.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Final

_PLEA: Final = re.compile(
    r"^\s*(?:i need (?:some )?(?:help|assistance)|help(?: me)?|(?:can|could|will) you help me"
    r"|(?:can|could) i get some help|帮帮我|帮助|我需要帮助)\s*[?？!！.。]*\s*$"
)
_PLEA_LABEL: Final = ("contact_customer_service", 0.6)


@dataclass(frozen=True, slots=True)
class _Rule:
    label: str
    confidence: float
    patterns: tuple[re.Pattern[str], ...]


def support_label(text: str) -> tuple[str, float]:
    """Returns the label of a support request and the confidence in it; ("", 0.0) when it is none.

    Args:
        text: Folded utterance.
    """
    for rule in _rules():
        if all(pattern.search(text) for pattern in rule.patterns):
            return rule.label, rule.confidence
    return _PLEA_LABEL if _PLEA.match(text) else ("", 0.0)


@lru_cache(maxsize=1)
def _rules() -> tuple[_Rule, ...]:
    return tuple(_read_rules())


def _read_rules() -> Iterator[_Rule]:
    names: dict[str, str] = {}
    text = files("services.nlu").joinpath("data/support_rules.tsv").read_text("utf-8")
    for line in text.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        first, *columns = line.split("\t")
        for name, pattern in names.items():
            columns = [column.replace(f"{{{name}}}", pattern) for column in columns]
        if first.startswith("@"):
            names[first[1:]] = columns[0]
        else:
            confidence, *patterns = columns
            compiled = tuple(re.compile(rf"(?<![a-z])(?:{pattern})") for pattern in patterns)
            yield _Rule(first, float(confidence), compiled)
