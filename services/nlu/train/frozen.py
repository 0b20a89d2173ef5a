"""Vectors of texts by an encoder that stays as it is, for heads that are fitted in seconds."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.nlu.learnt.tokens import ModelTokenizer
from services.nlu.train.evaluate import head_outputs
from services.nlu.train.model import EMBEDDING, ModelSpec, QueryModel
from services.nlu.train.tuning import open_encoder

MAX_TOKENS = 128


def frozen_vectors(
    encoder: Path, texts: Sequence[str], *, word_places: bool, cache: Path
) -> NDArray[np.float32]:
    """Returns the mean of each text's token states: (texts, width), of unit length.

    Args:
        encoder: Folder of a transformers encoder with its `tokenizer.json`.
        texts: To read; what is beyond MAX_TOKENS is cut.
        word_places: Whether the encoder's token types are places of characters in words.
        cache: Folder where the vectors are kept, by the texts and the encoder's weights.
    """
    kept = cache / f"{_key(encoder, texts)}.npy"
    if kept.is_file():
        return np.load(kept)
    tokenizer = ModelTokenizer(encoder / "tokenizer.json", MAX_TOKENS, word_places=word_places)
    model = QueryModel(ModelSpec(word_places=word_places), open_encoder(str(encoder))).eval()
    vectors = np.stack(head_outputs(model, tokenizer.encode(texts), EMBEDDING))
    kept.parent.mkdir(parents=True, exist_ok=True)
    np.save(kept, vectors)
    return vectors


def _key(encoder: Path, texts: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for weights in sorted(encoder.glob("*.safetensors")):
        digest.update(weights.read_bytes())
    for text in texts:
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()[:24]
