"""The file of a trained classifier: one .npz that numpy alone reads.

Weights are 8-bit integers with a scale for each category; what was calibrated and measured was
calibrated and measured with them, so reading the file loses nothing more. The products that were
learnt from are kept as checksums: of these, the classifier is no judge.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from services.reason.classify.tree import CategoryTree
from shared.durable_file import write_durably

_FORMAT: Final = 2
_READ: Final = (1, 2)
"""Form 1 has neither vectors nor the products that were learnt from."""
_STEPS: Final = 127
NEVER: Final = 2.0
"""A threshold that no probability reaches."""


class ModelFileError(ValueError):
    """A file is no classifier of a form that this version reads."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was learnt on products that the weights have not seen.

    Attributes:
        temperature: Scores are divided by it (Guo et al., "On calibration of modern neural
            networks", ICML 2017).
        promised_precision: Share of right answers that the thresholds keep; 0 when there were too
            few products to promise any.
        category_threshold: Least probability at which a category is said.
        parent_threshold: Least probability at which a parent is said.
        set_threshold: Least probability in a prediction set (Sadinle et al., "Least ambiguous
            set-valued classifiers", JASA 2019).
        set_coverage: Share of sets that hold the right category; 0 for no sets.
        least_known: Share of known words under which a product is not of the taxonomy.
        least_peak: The same for the highest score, before the temperature.
    """

    temperature: float = 1.0
    promised_precision: float = 0.0
    category_threshold: float = NEVER
    parent_threshold: float = NEVER
    set_threshold: float = NEVER
    set_coverage: float = 0.0
    least_known: float = 0.0
    least_peak: float = -np.inf


@dataclass(frozen=True, slots=True)
class Weights:
    """A linear model over features of texts.

    Attributes:
        features: Feature -> row.
        idf: Inverse document frequency of each row.
        unknown_idf: That of a word which no product of the training part has.
        steps: (features, categories), int8.
        scales: What a step of each category is worth.
        bias: Of each category.
    """

    features: Mapping[str, int]
    idf: NDArray[np.float32]
    unknown_idf: float
    steps: NDArray[np.int8]
    scales: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What vectors of English texts add to words.

    Attributes:
        encoder: Name and version of what makes the vectors; those of another do not fit.
        words: What the scores of words are multiplied by before the two are added.
        steps: Mean vectors of the categories, (dimensions, categories), int8.
        scales: What a step of each category is worth.
        calibration: Of the sum; that of the model is of words alone.
    """

    encoder: str
    words: float
    steps: NDArray[np.int8]
    scales: NDArray[np.float32]
    calibration: Calibration


@dataclass(frozen=True, slots=True)
class ClassifierModel:
    """A trained classifier.

    Attributes:
        name: With its version.
        tree: The categories.
        weights: Of words.
        calibration: Of words alone.
        meaning: What vectors add; None where they would not be worth their time.
        learnt: Marks of the products that weights were learnt from; see `mark`.
    """

    name: str
    tree: CategoryTree
    weights: Weights
    calibration: Calibration
    meaning: Meaning | None = None
    learnt: frozenset[int] = frozenset()


def mark(group: str) -> int:
    """Returns the checksum that a product, or a group of variants, is known by."""
    return zlib.crc32(group.encode())


def marks(groups: Iterable[str]) -> frozenset[int]:
    """Returns the checksums of all."""
    return frozenset(map(mark, groups))


def quantise(weights: NDArray[np.float64]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Returns steps and scales of (features, categories), each category by its largest weight."""
    largest = np.abs(weights).max(axis=0, initial=0.0)
    scales = (np.where(largest > 0, largest, 1.0) / _STEPS).astype(np.float32)
    return np.rint(weights / scales).astype(np.int8), scales


def save(model: ClassifierModel, path: Path) -> None:
    """Writes a classifier.

    Raises:
        OSError: It cannot be written.
    """
    weights = model.weights
    card = {
        "format": _FORMAT,
        "name": model.name,
        "categories": [list(category) for category in model.tree.categories],
        "features": sorted(weights.features, key=lambda feature: weights.features[feature]),
        "unknown_idf": weights.unknown_idf,
        "calibration": asdict(model.calibration),
        "meaning": None,
    }
    arrays: dict[str, NDArray[Any]] = {
        "idf": weights.idf,
        "steps": weights.steps,
        "scales": weights.scales,
        "bias": weights.bias,
        "learnt": np.array(sorted(model.learnt), dtype=np.uint32),
    }
    if (meaning := model.meaning) is not None:
        card["meaning"] = {
            "encoder": meaning.encoder,
            "words": meaning.words,
            "calibration": asdict(meaning.calibration),
        }
        arrays |= {"meaning_steps": meaning.steps, "meaning_scales": meaning.scales}
    arrays["card"] = np.frombuffer(json.dumps(card, ensure_ascii=False).encode(), dtype=np.uint8)
    written = io.BytesIO()
    write: Any = np.savez_compressed  # its types take a name of an array for an option
    write(written, **arrays)
    write_durably(path, written.getvalue())


def load(path: Path) -> ClassifierModel:
    """Reads a classifier.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: It is damaged, or of another form.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            card = cast("dict[str, Any]", json.loads(arrays["card"].tobytes()))
            if card["format"] not in _READ:
                raise ModelFileError(f"{path} has form {card['format']}, {_FORMAT} is read here")
            weights = Weights(
                {feature: row for row, feature in enumerate(card["features"])},
                arrays["idf"],
                float(card["unknown_idf"]),
                arrays["steps"],
                arrays["scales"],
                arrays["bias"],
            )
            meaning = _meaning(card["meaning"], arrays) if card.get("meaning") else None
            learnt = frozenset(arrays["learnt"].tolist() if "learnt" in arrays else ())
        tree = CategoryTree([tuple(category) for category in card["categories"]])
        calibration = Calibration(**card["calibration"])
        model = ClassifierModel(card["name"], tree, weights, calibration, meaning, learnt)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ModelFileError(f"{path} is no classifier: {error}") from error
    shape = (len(weights.features), len(tree.categories))
    fits = weights.steps.shape == shape and weights.bias.shape == shape[1:]
    if not fits or (meaning is not None and meaning.steps.shape[1:] != shape[1:]):
        raise ModelFileError(f"{path} is no classifier: its parts do not fit together")
    return model


def _meaning(card: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Meaning:
    return Meaning(
        card["encoder"],
        float(card["words"]),
        arrays["meaning_steps"],
        arrays["meaning_scales"],
        Calibration(**card["calibration"]),
    )
