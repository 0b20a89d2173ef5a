"""Questions that the assistant is measured with, and what is right for each."""

import csv
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.assistant.domain import Language
from services.assistant.questions import field_of
from wherefore.common.v1.product_pb2 import Product

_DATA: Final = Path(__file__).parent / "data"
OUT_OF_SCOPE: Final = _DATA / "out_of_scope.tsv"
REQUESTS_ZH: Final = _DATA / "requests_zh.tsv"
PRODUCT_QUESTIONS: Final = 200
_SEED: Final = 7

_FORMS: Final[dict[str, dict[Language, str]]] = {
    "attributes.material": {"en": "what is the {} made of?", "zh": "{}是什么材质的？"},
    "price": {"en": "how much does the {} cost?", "zh": "{}多少钱？"},
    "attributes.capacity": {"en": "what is the capacity of the {}?", "zh": "{}的容量是多少？"},
    "attributes.power": {"en": "how many watts does the {} have?", "zh": "{}的功率是多少？"},
    "attributes.battery_life": {
        "en": "how long is the battery life of the {}?",
        "zh": "{}的续航是多久？",
    },
    "attributes.net_weight": {"en": "what is the net weight of the {}?", "zh": "{}净重多少？"},
    "attributes.storage": {"en": "how much storage has the {}?", "zh": "{}的存储是多大？"},
    "attributes.memory": {"en": "how much memory does the {} have?", "zh": "{}的运行内存多大？"},
    "attributes.display_diagonal": {
        "en": "how big is the screen of the {}?",
        "zh": "{}的屏幕多大？",
    },
    "stock": {"en": "is the {} in stock?", "zh": "{}有货吗？"},
    "brand": {"en": "which brand is the {}?", "zh": "{}是什么牌子的？"},
    "reviews": {"en": "what do reviewers say about the {}?", "zh": "{}的评价怎么样？"},
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request with the intent that it should find."""

    text: str
    language: Language
    intent: str


@dataclass(frozen=True, slots=True)
class ProductQuestion:
    """A question about a field of a product."""

    text: str
    language: Language
    product: Product
    field: str


def read_requests(path: Path) -> list[Request]:
    """Reads English requests with the columns utterance and intent.

    Raises:
        OSError: It cannot be read.
        ValueError: A column is missing.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"utterance", "intent"} <= set(rows[0]):
        raise ValueError(f"{path}: no column utterance or none called intent")
    return [Request(row["utterance"], "en", row["intent"]) for row in rows]


def read_chinese_requests(path: Path = REQUESTS_ZH) -> list[Request]:
    """Reads Chinese requests: intent and request, tab-separated.

    Raises:
        OSError: It cannot be read.
        ValueError: A line has another form.
    """
    rows = (line.split("\t") for line in _lines(path))
    return [Request(text, "zh", intent) for intent, text in rows]


def read_out_of_scope(path: Path = OUT_OF_SCOPE) -> list[tuple[str, Language, str]]:
    """Reads part, language and text of questions that nobody answers.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line has another form.
    """
    rows = (line.split("\t") for line in _lines(path))
    return [(part, "zh" if language == "zh" else "en", text) for part, language, text in rows]


def product_questions(
    products: Sequence[Product], count: int = PRODUCT_QUESTIONS
) -> list[ProductQuestion]:
    """Makes questions about fields that products have, half of them English, half Chinese.

    Every second names the product by its whole title, the others by its beginning and its
    last word, which often is the colour. The same catalogue gives the same questions.
    """
    chance = random.Random(_SEED)  # noqa: S311 - a sample, no secret
    languages: tuple[Language, ...] = ("en", "zh")
    asked: list[ProductQuestion] = []
    fields = list(_FORMS)
    shuffled = chance.sample(list(products), len(products))
    for product in shuffled:
        language = languages[len(asked) % 2]
        named = product.titles.get(language, "")
        if len(asked) % 4 >= len(languages):
            named = _short_name(product, language)
        held = [field for field in fields if field_of([product], [field])]
        if not named or not held:
            continue
        field = held[chance.randrange(len(held))]
        asked.append(
            ProductQuestion(_FORMS[field][language].format(named), language, product, field)
        )
        if len(asked) == count:
            break
    return asked


def _short_name(product: Product, language: Language) -> str:
    """The beginning of the title, which names brand and kind or model, and its colour."""
    words = product.titles.get(language, "").replace(",", "").split()
    first = 3 if language == "en" else 2
    return " ".join(dict.fromkeys((*words[:first], *words[-1:])))


def _lines(path: Path) -> Iterable[str]:
    for line in path.read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line
