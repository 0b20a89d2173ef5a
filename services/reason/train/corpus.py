"""The corpus: reasons over evidence, copy over attributes, sentences of reviews, split by product.

JSON lines. A reason: `{"item_id", "language", "evidence": [{"kind", "fills"}], "reason_sequence":
[clause, …]}`, where a clause starts with the place of its evidence ("<2>") and holds slots for
values. Copy: `{"item_id", "attributes": [[key, value], …], "copy"}`. A sentence of a review:
`{"item_id", "language", "text"}`.
"""

import json
import random
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, Field
from tqdm import tqdm

from services.reason.own import own_facts
from services.reason.train import text_pairs
from services.reason.train.frames import LANGUAGES, reason_kinds, write
from services.reason.train.opinion_frames import draw
from services.reason.train.scenes import SceneSampler, choose, facts_of, products_of, split_of
from services.reason.wording.slots import fill
from services.reason.wording.tokens import MAX_EVIDENCE
from shared.catalogue.readers import bundled_catalogue_path, read_catalogue
from wherefore.common.v1.product_pb2 import Product

SPLITS: Final = ("train", "dev", "test")
REASONS: Final = "reasons"
TEXTS: Final = ("copy", "reviews")
_DEV_SHARE: Final = 0.025
_FREE_SHARE: Final = 0.15
"""Share of reasons whose kinds are drawn freely, so that rare ones are learnt in all company."""
_OWN_SHARE: Final = 0.1
"""Share of reasons that state something of the product besides, to tell it from others."""


class CorpusSettings(BaseModel):
    """How large the corpus is, and of what."""

    scenes: int = Field(default=60_000, ge=1)
    """Scenes of the train split, both languages together."""
    sentences: int = Field(default=2, ge=1)
    """Sentences a scene, each over another choice of its evidence."""
    catalogues: dict[str, float] = Field(
        default_factory=lambda: {"bundled": 0.45, "icecat/products.jsonl.gz": 0.35, "luma": 0.2}
    )
    """Catalogues by their share: "bundled", or a path within the folder of data sets."""
    reviews: int = Field(default=60_000, ge=0)
    """Sentences of reviews at most, a language."""
    summaries: float = Field(default=0.3, ge=0)
    """Sentences of summaries, as a share of the scenes."""
    seed: int = 17


def build(settings: CorpusSettings, data: Path, out: Path) -> dict[str, int]:
    """Writes the corpus.

    Args:
        settings: Its size and sources.
        data: Folder of the data sets; a source that is not there is left out.
        out: Folder of the corpus.

    Returns:
        Rows by file.

    Raises:
        FileNotFoundError: None of the catalogues is there.
    """
    out.mkdir(parents=True, exist_ok=True)
    catalogues = _catalogues(settings, data)
    if not catalogues:
        raise FileNotFoundError(
            f"none of the catalogues is there: {', '.join(settings.catalogues)}"
        )
    counts: dict[str, int] = {}
    for split in SPLITS:
        share = 1.0 if split == "train" else _DEV_SHARE
        scenes = max(1, int(settings.scenes * share))
        rows = chain(
            _reasons(settings, catalogues, split, scenes),
            _summaries(settings.seed, split, int(scenes * settings.summaries)),
        )
        counts[f"{REASONS}.{split}"] = _write(rows, out / f"{REASONS}.{split}.jsonl")
    texts: dict[str, dict[str, list[dict[str, Any]]]] = {
        name: {split: [] for split in SPLITS} for name in TEXTS
    }
    for name, rows in (("copy", _copy(data)), ("reviews", _reviews(data, settings.reviews))):
        for row in rows:
            texts[name][split_of(row["item_id"], name)].append(row)
        for split in SPLITS:
            counts[f"{name}.{split}"] = _write(texts[name][split], out / f"{name}.{split}.jsonl")
    return counts


def read(folder: Path, name: str, split: str) -> Iterator[dict[str, Any]]:
    """Yields the rows of a part of the corpus."""
    with (folder / f"{name}.{split}.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def load_catalogue(name: str, data: Path) -> list[Product]:
    """Returns the products of a catalogue that are well formed; none when it is not there."""
    path = bundled_catalogue_path() if name == "bundled" else data / name
    if not path.exists():
        return []
    rows = read_catalogue(path)
    return [row.product for row in rows if row.product is not None]


def _catalogues(
    settings: CorpusSettings, data: Path
) -> list[tuple[str, float, dict[str, list[Product]]]]:
    found: list[tuple[str, float, dict[str, list[Product]]]] = []
    for name, share in settings.catalogues.items():
        products = load_catalogue(name, data)
        if products:
            found.append((name, share, products_of(name, iter(products))))
    return found


def _reasons(
    settings: CorpusSettings,
    catalogues: Sequence[tuple[str, float, dict[str, list[Product]]]],
    split: str,
    scenes: int,
) -> Iterator[dict[str, Any]]:
    rng = random.Random(f"{settings.seed}/{split}")  # noqa: S311  # a corpus, no secret
    samplers = [SceneSampler(products[split], rng) for _, _, products in catalogues]
    shares = [share for _, share, _ in catalogues]
    for index in tqdm(range(scenes), desc=f"reasons, {split}", unit="scene"):
        which = rng.choices(range(len(catalogues)), shares)[0]
        name, _, products = catalogues[which]
        product = rng.choice(products[split])
        language = LANGUAGES[index % len(LANGUAGES)]
        scene = samplers[which].draw(product, language)
        facts = facts_of(scene, language)
        own = list(own_facts(scene.product, language, facts))
        for _ in range(settings.sentences if facts else 0):
            if rng.random() < _FREE_SHARE:
                evidence: list[dict[str, Any]] = [
                    {"kind": kind, "fills": {}}
                    for kind in rng.choices(reason_kinds(), k=rng.choice((1, 2, 3, 3, 4, 5)))
                ]
            else:
                chosen = choose(facts, rng)
                if own and len(chosen) < MAX_EVIDENCE and rng.random() < _OWN_SHARE:
                    chosen.append(rng.choice(own))
                filled = [fill(fact, language) for fact in chosen]
                evidence = [{"kind": one.kind, "fills": dict(one.fills)} for one in filled]
            clauses = write([str(one["kind"]) for one in evidence], language, rng)
            yield {
                "item_id": f"{name}/{product.id}",
                "language": language,
                "evidence": evidence,
                "reason_sequence": [f"<{clause.position}>{clause.text}" for clause in clauses],
            }


def _summaries(seed: int, split: str, count: int) -> Iterator[dict[str, Any]]:
    """Sentences of summaries, over points drawn freely: which go together hangs on the reviews."""
    rng = random.Random(f"{seed}/summaries/{split}")  # noqa: S311  # a corpus, no secret
    for index in range(count):
        language, kinds = LANGUAGES[index % len(LANGUAGES)], draw(rng)
        clauses = write(kinds, language, rng)
        yield {
            "item_id": f"summaries/{split}/{index}",
            "language": language,
            "evidence": [{"kind": kind, "fills": {}} for kind in kinds],
            "reason_sequence": [f"<{clause.position}>{clause.text}" for clause in clauses],
        }


def _copy(data: Path) -> Iterator[dict[str, Any]]:
    path = data / "attributes_to_copy_zh" / "train.jsonl.gz"
    for item_id, pair in text_pairs.copy_pairs(path) if path.exists() else ():
        yield {
            "item_id": item_id,
            "attributes": [list(attribute) for attribute in pair.attributes],
            "copy": pair.copy,
        }


def _reviews(data: Path, most: int) -> Iterator[dict[str, Any]]:
    path = data / "reviews_zh" / "train.jsonl.gz"
    # Chinese reviews name no product: each is one of its own.
    found = text_pairs.reviews_zh(path) if path.exists() else iter(())
    for number, text in zip(range(most), found, strict=False):
        yield {"item_id": f"zh/{number}", "language": "zh", "text": text}
    path = data / "reviews_by_product_en" / "reviews.csv"
    pairs = text_pairs.reviews_en(path) if path.exists() else iter(())
    for _, (item_id, text) in zip(range(most), pairs, strict=False):
        yield {"item_id": f"en/{item_id}", "language": "en", "text": text}


def _write(rows: Iterator[dict[str, Any]] | Sequence[dict[str, Any]], path: Path) -> int:
    count = 0
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    part.replace(path)
    return count
