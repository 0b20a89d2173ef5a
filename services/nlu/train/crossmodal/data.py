"""What training reads, decoded and encoded once: pictures as prepared, texts as vectors."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from services.nlu.pictures.evaluation.shop import Part, ShopPicture, read_pictures
from services.nlu.pictures.preparation import Preparation
from services.nlu.train.crossmodal.wordings import Wording, wordings
from shared.inference import InferenceSettings, open_text_encoder
from shared.pictures.decoding import decode

_CHUNK = 64


@dataclass(frozen=True)
class Material:
    """Pictures that may be learnt from or chosen by, and what may be written of them.

    Attributes:
        pictures: Of products for training and for choices; none of a product for tests.
        pixels: (pictures, height, width, 3), as prepared.
        texts: Every wording once.
        vectors: (texts, text dimension), of the text encoder.
        of: Picture -> positions of its wordings; the first is its listing.
    """

    pictures: Sequence[ShopPicture]
    pixels: NDArray[np.uint8]
    texts: Sequence[Wording]
    vectors: NDArray[np.float32]
    of: Sequence[Sequence[int]]

    def where(self, part: Part) -> list[int]:
        """Positions of the pictures of a part."""
        return [at for at, each in enumerate(self.pictures) if each.part == part]


def gather(
    folder: Path, cache: Path, preparation: Preparation, *, text_model: str, count: int, seed: int
) -> Material:
    """Reads the shop, decodes its pictures and encodes what is written of them.

    Args:
        folder: Of the `luma` set.
        cache: Where pixels and vectors are kept, for a run that is taken up.
        preparation: Of pictures.
        text_model: Entry of the model repository.
        count: Wordings of a variant at most.
        seed: Of the wordings.
    """
    pictures = [each for each in read_pictures(folder) if each.product and each.part != Part.TEST]
    cache.mkdir(parents=True, exist_ok=True)
    said: dict[str, list[Wording]] = {}
    for each in pictures:
        if each.variant not in said:
            rng = random.Random(f"{seed}/{each.variant}")  # noqa: S311 - wordings, not secrets
            said[each.variant] = wordings(each, count, rng)
    places: dict[Wording, int] = {}
    for each in (wording for group in said.values() for wording in group):
        places.setdefault(each, len(places))
    texts = list(places)
    vectors = _cached(
        cache / "texts.npz",
        [text_model, *(each.text for each in texts)],
        lambda: _encode([each.text for each in texts], text_model),
    )
    pixels = _cached(
        cache / "pictures.npz",
        [preparation.model_dump_json(), *(each.path.name for each in pictures)],
        lambda: _decode(pictures, preparation),
    )
    of = [[places[wording] for wording in said[each.variant]] for each in pictures]
    return Material(pictures, pixels, texts, vectors, of)


def _cached(path: Path, made_of: Sequence[str], make: Any) -> Any:
    """Returns an array that was kept, or makes and keeps it."""
    stamp = sha256(json.dumps(made_of, ensure_ascii=False).encode()).hexdigest()
    if path.is_file():
        with np.load(path) as kept:
            if str(kept["stamp"]) == stamp:
                return kept["array"]
    array = make()
    np.savez(path, array=array, stamp=np.array(stamp))
    return array


def _decode(pictures: Sequence[ShopPicture], preparation: Preparation) -> NDArray[np.uint8]:
    return np.stack(
        [
            preparation.fitted(decode(each.path.read_bytes(), each.path.name))
            for each in tqdm(pictures, desc="pictures", unit="picture", dynamic_ncols=True)
        ]
    )


def _encode(texts: Sequence[str], model: str) -> NDArray[np.float32]:
    async def run() -> NDArray[np.float32]:
        encoder = open_text_encoder(
            InferenceSettings(backend="onnx", model=model, threads=1, batch_size=32)
        )
        parts: list[NDArray[np.float32]] = []
        with tqdm(total=len(texts), desc="texts", unit="text", dynamic_ncols=True) as bar:
            for start in range(0, len(texts), _CHUNK):
                encoded = await encoder.encode(texts[start : start + _CHUNK])
                parts.append(encoded.vectors)
                bar.update(len(encoded.vectors))
        await encoder.close()
        return np.concatenate(parts)

    return asyncio.run(run())
