"""Trains a ranker: `python -m services.ranking.train`, which `wherefore train ranking` calls."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import grpc

from services.ranking.config import DEFAULT_WEIGHTS
from services.ranking.model import LinearModel
from services.ranking.train.card import write_card
from services.ranking.train.collect import collect_pages
from services.ranking.train.compare import FOLDS, cross_validate
from services.ranking.train.dataset import DatasetError, RankingData, build_dataset
from services.ranking.train.lambdamart import Settings, fit, importance
from services.ranking.weights import load_weights
from shared.evaluation.judgments import JudgmentsError, read_judgments
from shared.evaluation.significance import Difference, paired_bootstrap

_USAGE = 2
MODEL_FILE = "model.json"


def main() -> int:
    """Collects or reads the data, measures by folds, trains on all, and writes the model."""
    asked = _arguments()
    try:
        data = _data(asked)
    except (DatasetError, JudgmentsError) as error:
        return _refuse(str(error), _USAGE)
    except grpc.RpcError as error:
        details: Any = error
        return _refuse(f"the suite does not answer: {details.details()}", 1)
    if len(data.texts) < FOLDS:
        return _refuse(f"{len(data.texts)} queries with relevant products, {FOLDS} needed", _USAGE)
    weights = load_weights(asked.weights).serving["search"]
    settings = Settings(rounds=asked.rounds, leaves=asked.leaves, seed=asked.seed)
    version = f"lambdamart-search@{asked.version}"
    with _bar(FOLDS, "folds") as bar:
        linear, trees = cross_validate(
            data,
            [
                lambda _: LinearModel.of(weights.version, weights.weights),
                lambda part: fit(part, weights.weights, version, settings),
            ],
            asked.seed,
            bar.update,
        )
    with _bar(settings.rounds, "trees") as bar:
        model = fit(data, weights.weights, version, settings, bar.update)
    full = paired_bootstrap(trees.full.tolist(), linear.full.tolist())
    judged_only = paired_bootstrap(trees.judged_only.tolist(), linear.judged_only.tolist())
    asked.out.mkdir(parents=True, exist_ok=True)
    model.save(asked.out / MODEL_FILE)
    about = f"{len(data.texts)} judged queries with {len(data.ratings):,} candidates"
    sizes = importance(model, data)
    write_card(
        asked.out,
        version=version,
        data=about,
        linear=linear,
        trees=trees,
        full=full,
        judged_only=judged_only,
        importance=sizes,
    )
    document = {
        "version": version,
        "queries": len(data.texts),
        "model": str(asked.out / MODEL_FILE),
        "ndcg@10": _compared(linear.full.mean(), trees.full.mean(), full),
        "ndcg@10 judged only": _compared(
            linear.judged_only.mean(), trees.judged_only.mean(), judged_only
        ),
        "worth_serving": worth_serving(full, judged_only),
        "importance": sizes,
    }
    sys.stdout.write(json.dumps(document, indent=2) + "\n" if asked.json else _said(document))
    return 0


def worth_serving(full: Difference, judged_only: Difference) -> bool:
    """Whether one measure is better beyond accident, and the other is not worse beyond it."""
    return (full.better or judged_only.better) and not (full.worse or judged_only.worse)


def _compared(linear: float, trees: float, difference: Difference) -> dict[str, float]:
    return {
        "linear": float(linear),
        "trees": float(trees),
        "difference": difference.interval.mean,
        "low": difference.interval.low,
        "high": difference.interval.high,
        "p": difference.p,
    }


def _said(document: dict[str, Any]) -> str:
    lines = [
        f"{document['version']}, {document['queries']} queries, {FOLDS} folds of whole queries"
    ]
    for name in ("ndcg@10", "ndcg@10 judged only"):
        each = document[name]
        lines.append(
            f"{name}: linear {each['linear']:.3f}, trees {each['trees']:.3f}, difference "
            f"{each['difference']:+.3f} ({each['low']:+.3f} to {each['high']:+.3f}), "
            f"p = {each['p']:.4f}"
        )
    lines.append(
        f"Serve it: WHEREFORE_RANKING_SEARCH_MODEL_PATH={document['model']}"
        if document["worth_serving"]
        else "The linear model stays: the trees are not better beyond doubt by both measures."
    )
    return "\n".join(lines) + "\n"


def _data(asked: argparse.Namespace) -> RankingData:
    if asked.judgments is None:
        return RankingData.load(asked.data)
    judgments = read_judgments(asked.judgments)
    with _bar(len(judgments), "queries") as bar:
        pages = collect_pages(list(judgments), asked.nlu, asked.retrieval, bar.update)
    data = build_dataset(pages, judgments, time.time())
    if asked.data is not None:
        data.save(asked.data)
    return data


def _bar(total: int, unit: str) -> Any:
    from tqdm import tqdm

    return tqdm(total=total, unit=f" {unit}", file=sys.stderr, disable=None)


def _refuse(message: str, code: int) -> int:
    sys.stderr.write(f"error: {message}\n")
    return code


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judgments", type=Path)
    parser.add_argument("--data", type=Path, help="file of collected features (.npz)")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=DEFAULT_WEIGHTS)
    parser.add_argument("--nlu", default="127.0.0.1:7701")
    parser.add_argument("--retrieval", default="127.0.0.1:7702")
    parser.add_argument("--rounds", type=int, default=Settings().rounds)
    parser.add_argument("--leaves", type=int, default=Settings().leaves)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--version", default="1")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.judgments is None and asked.data is None:
        parser.error("give --judgments, --data or both")
    return asked


if __name__ == "__main__":
    sys.exit(main())
