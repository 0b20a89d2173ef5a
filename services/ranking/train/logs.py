"""Trains a ranker from what shoppers did: `python -m services.ranking.train.logs`.

`wherefore train ranking --logs` calls it. The deep ranker may be trained by several processes, each
of which reads its share: `torchrun --nproc-per-node 2 -m services.ranking.train.logs …`.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
import numpy as np
from numpy.typing import NDArray

from services.ranking.clicks.page_log import OUTCOMES, LoggedPage, PageLogError
from services.ranking.config import DEFAULT_WEIGHTS
from services.ranking.deep.impressions import Impressions, Split
from services.ranking.deep.model_file import MODEL
from services.ranking.features import FEATURES
from services.ranking.model import LinearModel
from services.ranking.train.held_out import measure_held_out
from services.ranking.train.log_card import said, write_card
from services.ranking.train.log_source import (
    follow_suite,
    logged_pages,
    read_event_file,
    served_pages,
)
from services.ranking.weights import load_weights
from shared.distributed import Processes, joined
from shared.inference.settings import REPOSITORY

_USAGE: Final = 2
MODEL_FILE: Final = "model.json"
_FEW_QUERIES: Final = 20
"""Queries of all pages; below, none of the parts has enough to say anything."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A trained ranker, before it is measured and described."""

    folder: Path
    version: str
    how: str
    serve: str
    score: Any
    looked: NDArray[np.float64]
    calibration: Mapping[str, tuple[float, float]]
    digests: Sequence[str] = ()
    """By process: of the weights that it ended with."""


def main() -> int:
    """Reads the pages, trains, measures on held-out queries, and writes the model and its card."""
    asked = _arguments()
    with joined() as processes:
        try:
            return _run(asked, processes)
        except PageLogError as error:
            code, message = _USAGE, str(error)
        except grpc.RpcError as error:
            details: Any = error
            code, message = 1, f"the suite does not answer: {details.details()}"
    sys.stderr.write(f"error: {message}\n")
    return code


def _run(asked: argparse.Namespace, processes: Processes) -> int:
    pages = _pages(asked, processes)
    if asked.pages is not None and processes.main:
        from services.ranking.clicks.page_log import write_pages

        write_pages(pages, asked.pages)
    names = [name for part in processes.gather(sorted({p.query for p in pages})) for name in part]
    count = processes.agree(len(set(names)))
    if count < _FEW_QUERIES:
        raise PageLogError(f"pages of {count} queries; at least {_FEW_QUERIES} are needed")
    split = Split.of(pages, asked.seed)
    weights = load_weights(asked.weights).serving["search"].weights
    if asked.model == "trees":
        if processes.count > 1:
            raise PageLogError("trees are trained by one process; --model deep by several")
        made = _trees(asked, split, weights)
    else:
        made = _deep(asked, split, weights, processes)
    parts = processes.gather((split.test, len(pages)))
    if made is None:
        return 0
    test = [page for part, _ in parts for page in part]
    linear = LinearModel.of("", weights).score
    held_out = measure_held_out(test, linear, made.score, made.looked)
    data = f"{sum(own for _, own in parts):,} pages of {count} queries, a fifth of them held out"
    write_card(
        made.folder,
        version=made.version,
        how=made.how,
        data=data,
        looked=made.looked.tolist(),
        held_out=held_out,
        calibration=made.calibration,
    )
    document = {
        "version": made.version,
        "model": str(made.folder),
        "serve": made.serve,
        "propensities": made.looked.tolist(),
        "weights_sha256": list(made.digests),
        "calibration": {name: list(pair) for name, pair in made.calibration.items()},
        **held_out.as_json(),
    }
    text = said(made.version, held_out, made.calibration, made.serve)
    sys.stdout.write(json.dumps(document, indent=2) + "\n" if asked.json else text)
    return 0


def _trees(asked: argparse.Namespace, split: Split, weights: Mapping[str, float]) -> _Made:
    """LambdaMART on top of the linear score, from clicks over looks."""
    from services.ranking.clicks.learn import fit_clicks, relevance
    from services.ranking.clicks.propensity import TooFixedError, estimate_propensities
    from services.ranking.clicks.table import PageTable
    from services.ranking.tree_model import TreeModel

    table = PageTable.of([*split.training, *split.validation])
    try:
        looked = estimate_propensities(table.logs[0]).places
    except TooFixedError as error:
        raise PageLogError(str(error)) from error
    with _bar(asked.rounds, "trees") as bar:
        trees = fit_clicks(
            table.features,
            relevance(table.logs[0], looked),
            table.query,
            start=LinearModel.of("", weights).score(table.features),
            rounds=asked.rounds,
            leaves=asked.leaves,
            seed=asked.seed,
            on_round=bar.update,
        )
    version = f"lambdamart-clicks@{asked.version}"
    model = TreeModel(version, FEATURES, dict(weights), trees)
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / MODEL_FILE
    model.save(path)
    how = "LambdaMART trees on top of the linear weights, clicks weighted by inverse propensity."
    serve = f"WHEREFORE_RANKING_SEARCH_MODEL_PATH={path}"
    return _Made(asked.out, version, how, serve, model.score, _padded(looked, split), {})


def _deep(
    asked: argparse.Namespace, split: Split, weights: Mapping[str, float], processes: Processes
) -> _Made | None:
    """The deep ranker, written for Triton; None but in process 0."""
    from services.ranking.deep.calibrate import measure_calibration
    from services.ranking.deep.export import export
    from services.ranking.deep.learn import learn
    from services.ranking.deep.model_file import DeepFile
    from services.ranking.deep.training import Epoch, TrainingSettings, forget

    linear = LinearModel.of("", weights).score
    settings = TrainingSettings(epochs=asked.epochs, seed=asked.seed)
    run = asked.run if asked.run is not None else asked.out / f".{MODEL}-run"
    writer: Any = None
    if asked.tensorboard and processes.main:
        from torch.utils.tensorboard import SummaryWriter

        writer = SummaryWriter(str(run))  # pyright: ignore[reportUnknownVariableType]
    with _bar(settings.epochs, "epochs", shown=processes.main) as bar:

        def told(epoch: Epoch) -> None:
            bar.update()
            bar.set_postfix(validation=f"{epoch.validation:.4f}")
            if writer is not None:
                writer.add_scalar("loss/training", epoch.training, epoch.number)
                writer.add_scalar("loss/validation", epoch.validation, epoch.number)

        learnt = learn(split, linear, settings, processes=processes, folder=run, on_epoch=told)
    if writer is not None:
        writer.close()
    held = [page for part in processes.gather(split.test) for page in part]
    if learnt is None:
        return None
    version = f"deep-search@{asked.version}"
    test = Impressions.of(held)
    looked = _padded(learnt.looked, Split([], [], held))
    folder = asked.out / MODEL
    file = DeepFile(version=version, features=FEATURES, weight=learnt.weight)
    export(learnt.model, file, test.features[:4096], folder)
    forget(run)  # what is finished is not gone on with
    calibration = {
        name: (before, after)
        for name, before, after in zip(
            OUTCOMES,
            measure_calibration(learnt.plain, test, looked),
            measure_calibration(learnt.model, test, looked),
            strict=True,
        )
    }
    how = (
        "A multi-gate mixture of experts for clicks, carts and purchases, which learnt with "
        f"inverse propensity for {len(learnt.epochs)} epochs (the {learnt.best + 1}. is kept) and "
        f"adds {learnt.weight:g} times the log of a look's expected worth to the linear score."
    )
    serve = f"WHEREFORE_RANKING_DEEP_MODEL={MODEL}"
    if asked.out.resolve() != REPOSITORY:
        serve += f" WHEREFORE_RANKING_INFERENCE__MODEL_DIR={asked.out}"
    score = learnt.beside(linear)
    return _Made(folder, version, how, serve, score, looked, calibration, learnt.digests)


def _padded(looked: NDArray[np.float64], split: Split) -> NDArray[np.float64]:
    """Places that no training page had are looked at as often as the last known."""
    most = max((len(page.shown) for page in split.test), default=0)
    return np.pad(looked, (0, max(0, most - len(looked))), mode="edge")


def _pages(asked: argparse.Namespace, processes: Processes) -> list[LoggedPage]:
    if asked.logs is not None:
        return logged_pages(asked.logs, processes)
    events = read_event_file(asked.events) if asked.events else follow_suite(asked.orchestrator)
    pages, left = served_pages(asked.served, events, asked.places, processes)
    if left.total() and processes.main:
        sys.stderr.write(
            f"left out: {left.without_propensities} answers without propensities, "
            f"{left.without_features} without contributions, {left.further_pages} further pages, "
            f"{left.empty} empty\n"
        )
    return pages


def _bar(total: int, unit: str, *, shown: bool = True) -> Any:
    from tqdm import tqdm

    return tqdm(total=total, unit=f" {unit}", file=sys.stderr, disable=None if shown else True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    # torchrun has options of its own that begin with --log and --run.
    parser.add_argument(
        "--page-logs", dest="logs", type=Path, help="page log, or a folder of them (shards)"
    )
    parser.add_argument("--served", type=Path, help="SearchResponses, JSON lines, file or folder")
    parser.add_argument("--events", type=Path, help="user events; of the suite when absent")
    parser.add_argument("--orchestrator", default="127.0.0.1:7700")
    parser.add_argument("--places", type=int, default=10, help="shown, where nothing says it")
    parser.add_argument("--pages", type=Path, help="keep the joined pages here, as a page log")
    parser.add_argument("--model", choices=("trees", "deep"), default="trees")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--checkpoints", dest="run", type=Path, help="folder of the checkpoint")
    parser.add_argument("--weights", type=Path, default=DEFAULT_WEIGHTS)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--leaves", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--version", default="1")
    parser.add_argument("--tensorboard", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if (asked.logs is None) == (asked.served is None):
        parser.error("give --page-logs or --served")
    return asked


if __name__ == "__main__":
    sys.exit(main())
