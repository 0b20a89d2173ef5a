"""Models whose weights are tables: what each says of a word, and how it becomes files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

FORBIDDEN = -10_000.0
SURE = 6.0
"""Logit of what a table says; everything else has 0."""

EN_TYPES = (
    "BRAND", "PRODUCT_TYPE", "MODEL", "COLOUR", "SIZE", "MATERIAL", "AUDIENCE", "PRICE",
    "ATTRIBUTE", "OCCASION",
)  # fmt: skip
ZH_TYPES = ("PRODUCT_TYPE", "BRAND", "MODEL", "ATTRIBUTE")
REASONS = ("性价比高", "质量好", "口碑好", "适合送礼")
CATEGORIES = ("书籍", "平板", "手机", "水果", "洗发水", "热水器", "蒙牛", "衣服", "计算机", "酒店")


def bio(types: Sequence[str]) -> list[str]:
    return ["O", *(f"{place}-{kind}" for kind in types for place in "BI")]


EN_INTENTS = (
    "product_search", "navigational", "attribute_question", "recommendation", "comparison",
    *(f"support/concern_{number}" for number in range(26)), "support/track_order",
)  # fmt: skip


@dataclass(frozen=True)
class Table:
    """What a model says: word (or character) -> label, per head."""

    name: str
    words: Sequence[str]
    labels: Mapping[str, Sequence[str]]
    says: Mapping[str, Mapping[str, str]]
    dimension: int = 0
    characters: bool = False
    seed: int = 0
    token_heads: frozenset[str] = field(
        default_factory=lambda: frozenset({"entities", "reason_tags"})
    )


ENGLISH_WORDS = [
    *("red", "acme", "turbo", "x9", "shoes", "gizmo", "zorb", "kettle"),
    *("where", "is", "my", "order"),
]
ENGLISH = Table(
    "query_en",
    ENGLISH_WORDS,
    {"entities": bio(EN_TYPES), "intent": EN_INTENTS},
    {
        "entities": {
            "red": "B-COLOUR",
            "acme": "B-BRAND",
            "turbo": "I-BRAND",
            "zorb": "B-PRODUCT_TYPE",
            "gizmo": "B-PRODUCT_TYPE",
            "x9": "B-MODEL",
        },
        "intent": {"order": "support/track_order", "zorb": "product_search"},
    },
    dimension=384,
)
CHINESE = Table(
    "query_zh",
    tuple("乐丽牌手机质量好差评衣服很红"),
    {
        "entities": bio(ZH_TYPES),
        "category": CATEGORIES,
        "sentiment": ("negative", "positive"),
        "reason_tags": bio(REASONS),
    },
    {
        "entities": {
            "乐": "B-BRAND",
            "丽": "I-BRAND",
            "手": "B-PRODUCT_TYPE",
            "机": "I-PRODUCT_TYPE",
        },
        "category": {"手": "手机", "衣": "衣服"},
        "sentiment": {"好": "positive", "差": "negative"},
        "reason_tags": {"质": "B-质量好", "量": "I-质量好", "好": "I-质量好"},
    },
    dimension=312,
    characters=True,
)
PAIRS = Table("cross_en", ("red", "kettle", "shoes", "zorb"), {"match": ("match",)}, {})


def save_tokenizer(words: Sequence[str], table: Table, path: Path) -> None:
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    ids = {word: at for at, word in enumerate(words)}
    tokenizer: Any = Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))  # noqa: S106
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = (
        pre_tokenizers.Split(Regex(r"\s|."), "isolated")
        if table.characters
        else pre_tokenizers.Whitespace()
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])],
    )
    tokenizer.save(str(path))


def labels_of(table: Table) -> dict[str, Any]:
    described: dict[str, Any] = {}
    for head, labels in table.labels.items():
        if head in table.token_heads:
            described[head] = {
                "kind": "tokens",
                "labels": list(labels),
                "transitions": [[_step(a, b) for b in labels] for a in labels],
                "start": [_step("O", label) for label in labels],
                "end": [0.0] * len(labels),
            }
        else:
            described[head] = {"kind": "classes", "labels": list(labels), "temperature": 1.0}
    if table.dimension:
        described["sentence_embedding"] = {"kind": "vector", "dimension": table.dimension}
    return described


def _step(before: str, after: str) -> float:
    return FORBIDDEN if after.startswith("I-") and before[2:] != after[2:] else 0.0


def graph_of(onnx: Any, words: Sequence[str], table: Table) -> Any:
    """Lookups, sums over real tokens, and a scaling to unit length."""
    helper, tensor = onnx.helper, onnx.numpy_helper.from_array
    floats, integers = onnx.TensorProto.FLOAT, onnx.TensorProto.INT32
    nodes = [
        helper.make_node("Cast", ["input_ids"], ["ids"], to=onnx.TensorProto.INT64),
        helper.make_node("Sign", ["ids"], ["signs"]),
        helper.make_node("Cast", ["signs"], ["flat_mask"], to=floats),
        helper.make_node("Unsqueeze", ["flat_mask", "last_axis"], ["mask"]),
    ]
    constants = [
        tensor(np.asarray([-1], np.int64), "last_axis"),
        tensor(np.asarray([1], np.int64), "token_axis"),
    ]
    outputs = []
    segmented = table.characters or "match" in table.labels
    if segmented:
        nodes += [
            helper.make_node("Cast", ["segments"], ["places"], to=floats),
            helper.make_node("Unsqueeze", ["places", "last_axis"], ["place"]),
        ]
    for head, labels in table.labels.items():
        weights = np.zeros((len(words), len(labels)), np.float32)
        for word, label in table.says.get(head, {}).items():
            weights[words.index(word), list(labels).index(label)] = SURE
        constants.append(tensor(weights, f"{head}_table"))
        nodes.append(helper.make_node("Gather", [f"{head}_table", "ids"], [f"{head}_rows"]))
        if head in table.token_heads:
            # Where a character stands must come along, though this table makes nothing of it.
            last = [f"{head}_rows", "nothing"] if segmented else [f"{head}_rows"]
            nodes.append(helper.make_node("Sum", last, [head]))
            shape: list[Any] = ["batch", "sequence", len(labels)]
        elif head == "match":
            # As many tokens of the second text as of the first, less two.
            nodes += [
                helper.make_node("ReduceSum", ["place", "token_axis"], ["second"], keepdims=0),
                helper.make_node("ReduceSum", ["mask", "token_axis"], ["all"], keepdims=0),
                helper.make_node("Sub", ["second", "all"], ["negative_first"]),
                helper.make_node("Sum", ["second", "negative_first"], ["match"]),
            ]
            shape = ["batch", 1]
        else:
            nodes += [
                helper.make_node("Mul", [f"{head}_rows", "mask"], [f"{head}_real"]),
                helper.make_node("ReduceSum", [f"{head}_real", "token_axis"], [head], keepdims=0),
            ]
            shape = ["batch", len(labels)]
        outputs.append(helper.make_tensor_value_info(head, floats, shape))
    if segmented:
        constants.append(tensor(np.asarray(0.0, np.float32), "zero"))
        nodes.insert(6, helper.make_node("Mul", ["place", "zero"], ["nothing"]))
    if table.dimension:
        random = np.random.default_rng(table.seed)
        vectors = random.normal(size=(len(words), table.dimension)).astype(np.float32)
        constants.append(tensor(vectors, "vectors"))
        nodes += [
            helper.make_node("Gather", ["vectors", "ids"], ["vector_rows"]),
            helper.make_node("Mul", ["vector_rows", "mask"], ["real_vectors"]),
            helper.make_node("ReduceSum", ["real_vectors", "token_axis"], ["sum"], keepdims=0),
            helper.make_node("LpNormalization", ["sum"], ["sentence_embedding"], axis=1, p=2),
        ]
        shape = ["batch", table.dimension]
        outputs.append(helper.make_tensor_value_info("sentence_embedding", floats, shape))
    names = ["input_ids", "segments"] if segmented else ["input_ids"]
    inputs = [helper.make_tensor_value_info(n, integers, ["batch", "sequence"]) for n in names]
    graph = helper.make_graph(nodes, table.name, inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    return model
