"""Fits the constants of the ranking confidence and says how well they are calibrated.

Takes the candidates of every judged query from a running suite, fits logistic curves (Platt
scaling) on features that mean the same on every page, and reports Brier score and expected
calibration error over folds that never share a query. Prints TOML for
services/ranking/weights.toml, and writes its quality into benchmarks/RESULTS.md.

    python -m benchmarks.calibrate_confidence --judgments judgments_dev.csv
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
from numpy.typing import NDArray

from benchmarks.report import provenance, table, update_section
from services.ranking.calibration import ABSOLUTE, LEXICAL, absolute_matrix
from services.ranking.features import compute_features
from services.ranking.product_text import ProductTextCache
from services.ranking.query import view_query
from shared.evaluation.judgments import Judgments, read_judgments
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.retrieval.v1.candidate_pb2 import Candidate
from wherefore.retrieval.v1.retrieval_service_pb2 import RetrieveRequest
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

RELEVANT = 2
"""Rating from which a person is taken to call a product relevant, of 0 to 3."""
RIDGE = 1.0
FOLDS, BINS = 5, 10

Page = tuple[QueryUnderstanding, Sequence[Candidate]]


@dataclass(frozen=True)
class Sample:
    """Judged candidates only: an unjudged one is neither relevant nor not."""

    matrix: NDArray[np.float64]
    """(samples, len(ABSOLUTE)), NaN where the cosine is unknown."""
    relevant: NDArray[np.float64]
    query: NDArray[np.int64]


def collect(pages: Mapping[str, Page], judgments: Judgments) -> Sample:
    """Computes the features of every judged candidate."""
    texts = ProductTextCache(100_000)
    matrices: list[NDArray[np.float64]] = []
    relevant: list[float] = []
    queries: list[int] = []
    for number, (text, (understanding, candidates)) in enumerate(pages.items()):
        if not candidates:
            continue
        table = compute_features(view_query(understanding), candidates, None, texts, time.time())
        rows = [i for i, c in enumerate(candidates) if c.product.id in judgments[text]]
        matrices.append(absolute_matrix(table, ABSOLUTE)[rows])
        relevant.extend(judgments[text][candidates[i].product.id] >= RELEVANT for i in rows)
        queries.extend([number] * len(rows))
    return Sample(np.vstack(matrices), np.array(relevant, dtype=float), np.array(queries))


def fit(matrix: NDArray[np.float64], relevant: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fits a logistic curve by Newton's method with a ridge; the intercept comes first."""
    x = np.hstack([np.ones((len(matrix), 1)), matrix])
    penalty = np.diag([0.0, *[RIDGE] * matrix.shape[1]])
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        p = predict(weights, matrix)
        gradient = x.T @ (p - relevant) + penalty @ weights
        hessian = (x * (p * (1 - p))[:, None]).T @ x + penalty
        step = np.linalg.solve(hessian, gradient)
        weights -= step
        if np.abs(step).max() < 1e-9:
            break
    return weights


def predict(weights: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns probabilities."""
    return 1 / (1 + np.exp(-np.clip(weights[0] + matrix @ weights[1:], -30, 30)))


def brier(p: NDArray[np.float64], relevant: NDArray[np.float64]) -> float:
    """Mean squared error of the probabilities; 0 is perfect."""
    return float(np.mean((p - relevant) ** 2))


def calibration_error(p: NDArray[np.float64], relevant: NDArray[np.float64]) -> float:
    """Expected calibration error over ten bins of equal width (Guo et al., 2017)."""
    bins = np.minimum((p * BINS).astype(int), BINS - 1)
    gaps = [
        (bins == b).mean() * abs(p[bins == b].mean() - relevant[bins == b].mean())
        for b in range(BINS)
        if (bins == b).any()
    ]
    return float(sum(gaps))


def cross_validate(matrix: NDArray[np.float64], sample: Sample, seed: int = 0) -> dict[str, float]:
    """Predicts every sample by a curve that never saw its query, and measures all predictions."""
    numbers = np.unique(sample.query)
    fold_of = dict(
        zip(np.random.default_rng(seed).permutation(numbers), range(len(numbers)), strict=True)
    )
    folds = np.array([fold_of[q] % FOLDS for q in sample.query])
    p = np.zeros(len(matrix))
    rate = np.zeros(len(matrix))
    for fold in range(FOLDS):
        held = folds == fold
        p[held] = predict(fit(matrix[~held], sample.relevant[~held]), matrix[held])
        rate[held] = sample.relevant[~held].mean()
    return {
        "brier": brier(p, sample.relevant),
        "brier_of_base_rate": brier(rate, sample.relevant),
        "ece": calibration_error(p, sample.relevant),
    }


def curves(sample: Sample) -> dict[str, tuple[Sequence[str], Sample]]:
    """Returns what each curve is fitted on: its features, and the samples that have them."""
    known = ~np.isnan(sample.matrix[:, 0])
    found: dict[str, tuple[Sequence[str], Sample]] = {}
    for name, features, rows in (
        ("full", ABSOLUTE, known),
        ("lexical", LEXICAL, np.ones_like(known)),
    ):
        matrix = sample.matrix[rows][:, -len(features) :]
        found[name] = (features, Sample(matrix, sample.relevant[rows], sample.query[rows]))
    return found


def results_section(sample: Sample, command: str, data: str) -> str:
    """Returns the section of RESULTS.md."""
    rows: list[list[str]] = []
    for name, (features, part) in curves(sample).items():
        quality = cross_validate(part.matrix, part)
        figures = (quality["brier"], quality["brier_of_base_rate"], quality["ece"])
        said = f"{name}: {', '.join(features)}"
        rows.append([said, str(len(part.relevant)), *(f"{figure:.3f}" for figure in figures)])
    headings = ["curve and its features", "candidates", "Brier", "Brier of the base rate", "ECE"]
    return "\n".join(
        [
            "## Confidence",
            "",
            provenance(command, data),
            "",
            table(headings, rows),
            "",
            f"Relevant means rated {RELEVANT} or more, {sample.relevant.mean():.1%} of the judged",
            f"candidates. Measured by {FOLDS} folds of whole queries; the served curves are fitted",
            "on all of them. `lexical` answers where the dense leg does not. English electronics",
            "only: elsewhere the confidence is an extrapolation.",
        ]
    )


def report(sample: Sample) -> str:
    """Fits both curves and returns TOML with their quality in comments."""
    lines = [
        f"# {len(sample.relevant)} judged candidates of {len(set(sample.query))} queries,"
        f" {sample.relevant.mean():.3f} of them rated {RELEVANT} or more.",
        f"# By {FOLDS} folds of whole queries:",
    ]
    for name, (features, part) in curves(sample).items():
        quality = cross_validate(part.matrix, part)
        weights = fit(part.matrix, part.relevant)
        pairs = ", ".join(f"{key} = {w:.3f}" for key, w in zip(features, weights[1:], strict=True))
        said = ", ".join(f"{key} {value:.3f}" for key, value in quality.items())
        lines += [
            "",
            f"# {said}",
            f"[calibration.{name}]",
            f"intercept = {weights[0]:.3f}",
            f"coefficients = {{ {pairs} }}",
        ]
    return "\n".join(lines)


def ask(queries: Sequence[str], nlu_target: str, retrieval_target: str) -> dict[str, Page]:
    """Parses and retrieves every query with a running suite."""
    pages: dict[str, Page] = {}
    with (
        grpc.insecure_channel(nlu_target) as to_nlu,
        grpc.insecure_channel(retrieval_target) as to_retrieval,
    ):
        nlu, retrieval = NluServiceStub(to_nlu), RetrievalServiceStub(to_retrieval)
        for text in queries:
            understanding = nlu.Parse(ParseRequest(query=text), timeout=30).understanding
            request = RetrieveRequest(query=understanding, limit=100)
            pages[text] = (understanding, retrieval.Retrieve(request, timeout=30).candidates)
    return pages


def main() -> int:
    """Prints the TOML on standard output and writes the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judgments", type=Path, required=True)
    parser.add_argument("--nlu", default="127.0.0.1:7701")
    parser.add_argument("--retrieval", default="127.0.0.1:7702")
    parser.add_argument("--no-write", action="store_true", help="print only")
    asked = parser.parse_args()
    judgments = read_judgments(asked.judgments)
    pages = ask(list(judgments), asked.nlu, asked.retrieval)
    sample = collect(pages, judgments)
    sys.stdout.write(report(sample) + "\n")
    if not asked.no_write:
        command = f"python -m benchmarks.calibrate_confidence --judgments {asked.judgments.name}"
        data = f"a suite that holds icecat, {len(judgments)} judged queries"
        update_section("confidence", results_section(sample, command, data))
    return 0


if __name__ == "__main__":
    sys.exit(main())
