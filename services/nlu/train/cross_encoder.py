"""Trains the cross-encoder of `Match`: query and product read together, one logit `match`.

MiniLM with low-rank matrices and a `PairHead`, on weak labels of the catalogues and on clicks where
an event file is given. `python -m services.nlu.train.cross_encoder --out FOLDER` takes a run up
where it stopped, saves the model and prints what it is worth.
"""

# ruff: noqa: S311 - only an order that can be repeated is wanted of the generator.

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from torch.nn import functional

from services.nlu.train.batching import token_batches
from services.nlu.train.cross_pairs import Group, clicked_groups, weak_groups
from services.nlu.train.english_catalogue import read_goods
from services.nlu.train.english_pairs import judged_queries, split_goods
from services.nlu.train.examples import TaskKind
from services.nlu.train.loop import LoopSettings, Recipe, train
from services.nlu.train.model import HeadSpec, ModelSpec, QueryModel
from services.nlu.train.storage import load_model, save_model, tokenizer_of
from services.nlu.train.tuning import PACKAGED, Tuning, open_encoder, wrap
from shared.evaluation.judgments import read_judgments
from shared.evaluation.metrics import ndcg
from shared.inference.tokens import TextTokenizer

MATCH: Final = "match"
SEED: Final = 22
_DEV_GROUPS: Final = 250
_DEV_SIZE: Final = 9
_BUDGET: Final = 8_192

Pair = tuple[str, str]
Scorer = Callable[[Sequence[Pair]], NDArray[np.float64]]


class CrossSettings(BaseModel):
    """A recipe of the cross-encoder."""

    encoder: str = PACKAGED
    rank: int = Field(default=16, ge=1)
    groups: int = Field(default=3_200, ge=1)
    """Queries to train with at most."""
    group_size: int = Field(default=4, ge=2)
    max_tokens: int = Field(default=96, ge=16, le=512)
    token_budget: int = Field(default=2_560, ge=128)
    head_rate: float = Field(default=3.0, gt=0)
    events: Path | None = None
    """File of user events whose clicks are learnt from, too."""
    loop: LoopSettings = LoopSettings(epochs=1, learning_rate=8e-4)


def train_cross(settings: CrossSettings, data: Path, folder: Path) -> Mapping[str, float]:
    """Trains by a recipe, or takes up the run that `folder` holds; the model goes to folder/model.

    Args:
        settings: The recipe.
        data: Folder of the data sets.
        folder: Of the run.

    Returns:
        What the model is worth: `accuracy`, `auc` and `mrr` on products that were held out, and
        `judged_ndcg` of re-ranking what people judged.

    Raises:
        FileNotFoundError: A data set, or the event file, is missing.
    """
    path = tokenizer_of(settings.encoder)
    tokenizer = TextTokenizer(path, settings.max_tokens)
    groups, held = read_groups(settings, data)
    rows = [tokenizer.encode_pairs([(item.query, text) for text in item.texts]) for item in groups]
    lengths = [max(len(ids) for ids, _ in pairs) * len(pairs) for pairs in rows]
    # The head starts by chance, before the loop sets its own seed.
    torch.manual_seed(settings.loop.seed)  # pyright: ignore[reportUnknownMemberType]
    model = new_cross_encoder(settings, divider=tokenizer.encode_now(["a"])[0][-1].item())

    def batches(epoch: int) -> Sequence[Any]:
        return token_batches(lengths, settings.token_budget, seed=settings.loop.seed, epoch=epoch)

    def collate(batch: list[int], step: int) -> Mapping[str, Any]:
        made = _padded([pair for at in batch for pair in rows[at]])
        targets = [groups[at].targets for at in batch]
        return {**made, "targets": torch.tensor(targets)}

    def evaluate(trained: Any) -> Mapping[str, float]:
        return measure(scorer(trained, tokenizer), held, data)

    history = train(
        Recipe(
            model,
            batches,
            collate,
            _loss,
            evaluate,
            score="auc",
            rates={"heads": settings.head_rate},
        ),
        settings.loop,
        folder,
        title="cross_en",
    )
    save_model(model, folder / "model", path)
    # What is measured is what is served: float16 weights, merged.
    figures = dict(measure(scorer(load_model(folder / "model"), tokenizer), held, data))
    results = {
        "figures": figures,
        "groups": len(groups),
        "seconds": history.seconds,
        "settings": settings.model_dump(mode="json"),
    }
    (folder / "results.json").write_text(json.dumps(results, indent=1))
    return figures


def new_cross_encoder(settings: CrossSettings, *, divider: int) -> QueryModel:
    """Returns a cross-encoder before training.

    Args:
        settings: The recipe.
        divider: Id of the token between two texts.
    """
    packaged = settings.encoder == PACKAGED
    encoder = open_encoder(settings.encoder)
    spec = ModelSpec(
        base=settings.encoder if packaged else "",
        encoder={} if packaged else encoder.config.to_dict(),
        heads=(HeadSpec(name=MATCH, kind=TaskKind.CLASSES, labels=(MATCH,), divider=divider),),
        tuning=str(Tuning.LORA),
        rank=settings.rank,
        word_places=True,  # `segments` says which text of the pair a token is of
        max_tokens=settings.max_tokens,
    )
    return QueryModel(spec, wrap(encoder, Tuning.LORA, rank=settings.rank))


def read_groups(settings: CrossSettings, data: Path) -> tuple[list[Group], list[Group]]:
    """Returns what to train with and what to measure by; no product stands in both."""
    train_goods, dev_goods = split_goods(data)
    random = Random(SEED)
    groups = weak_groups(train_goods[: settings.groups], random, size=settings.group_size)
    if settings.events:
        goods = read_goods(data)
        groups += clicked_groups(settings.events, goods, random, size=settings.group_size)
    judged = judged_queries(data)
    held_texts = {good.title for good in dev_goods}
    kept = [
        group
        for group in groups
        if group.query.casefold() not in judged and group.texts[0] not in held_texts
    ]
    random.shuffle(kept)
    held = weak_groups(dev_goods, random, size=_DEV_SIZE)[:_DEV_GROUPS]
    return kept, held


def scorer(model: QueryModel, tokenizer: TextTokenizer) -> Scorer:
    """Returns the function that scores pairs by a model, (pairs,) logits."""

    def score(pairs: Sequence[Pair]) -> NDArray[np.float64]:
        rows = tokenizer.encode_pairs(pairs)
        logits = np.empty(len(rows), dtype=np.float64)
        lengths = [len(ids) for ids, _ in rows]
        model.eval()
        with torch.no_grad():
            for batch in token_batches(lengths, _BUDGET, seed=0, epoch=0, shuffle=False):
                given = _padded([rows[at] for at in batch])
                made = model(given["input_ids"], given["segments"], only=(MATCH,))[MATCH]
                logits[batch] = made[:, 0].float().numpy()
        return logits

    return score


def measure(score: Scorer, held: Sequence[Group], data: Path) -> Mapping[str, float]:
    """Measures a scorer.

    Args:
        score: Pairs to logits.
        held: Groups whose first product is the answer.
        data: Folder of the data sets, for what people judged.

    Returns:
        `accuracy` and `auc` of answers against products that are none, `mrr` of the answer in its
        group, `judged_ndcg` at 10 over the judged products alone.
    """
    logits = score([(group.query, text) for group in held for text in group.texts])
    of_group = logits.reshape(len(held), -1)
    targets = np.array([group.targets for group in held])
    clear = (targets == 1.0) | (targets == 0.0)
    # sklearn's own types leave its arguments unknown.
    metrics: Any = import_module("sklearn.metrics")
    ranks = (of_group >= of_group[:, :1]).sum(1)
    return {
        "accuracy": float(((of_group > 0) == (targets == 1.0))[clear].mean()),
        "auc": float(metrics.roc_auc_score(targets[clear] == 1.0, of_group[clear])),
        "mrr": float((1.0 / ranks).mean()),
        "judged_ndcg": judged_ndcg(score, data),
    }


def judged_ndcg(score: Scorer, data: Path) -> float:
    """Returns the mean nDCG@10 of the judged products of each query, ordered by a scorer."""
    judgments = read_judgments(data / "icecat" / "judgments_dev.csv")
    texts = {good.key.partition("/")[2]: good.text for good in read_goods(data)}
    pairs = [
        (query, item) for query, ratings in judgments.items() for item in ratings if item in texts
    ]
    scores = score([(query, texts[item]) for query, item in pairs])
    ranked: dict[str, list[tuple[float, str]]] = {}
    for (query, item), value in zip(pairs, scores, strict=True):
        ranked.setdefault(query, []).append((-float(value), item))
    found = [
        ndcg([item for _, item in sorted(ranked.get(query, []))], ratings)
        for query, ratings in judgments.items()
    ]
    return float(np.mean([value for value in found if value is not None]))


def _padded(rows: Sequence[tuple[Any, Any]]) -> dict[str, torch.Tensor]:
    longest = max(len(ids) for ids, _ in rows)
    made = np.zeros((2, len(rows), longest), dtype=np.int64)
    for at, (ids, segments) in enumerate(rows):
        made[0, at, : len(ids)] = ids
        made[1, at, : len(ids)] = segments
    both = torch.from_numpy(made)  # pyright: ignore[reportUnknownMemberType]
    return {"input_ids": both[0], "segments": both[1]}


def _loss(model: Any, batch: Mapping[str, Any]) -> Mapping[str, torch.Tensor]:
    """Each pair by itself, so that logits mean something, and in its group, so that they rank."""
    targets: torch.Tensor = batch["targets"]
    logits = model(batch["input_ids"], batch["segments"], only=(MATCH,))[MATCH]
    of_group = logits.float().view(targets.shape)
    first = torch.zeros(len(targets), dtype=torch.int64, device=targets.device)
    return {
        "pair": functional.binary_cross_entropy_with_logits(of_group, targets),
        "group": 0.5 * functional.cross_entropy(of_group, first),
    }


def main() -> int:
    """Trains by the settings of the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="services.nlu.train.cross_encoder", description=__doc__)
    home = Path(__file__).resolve().parents[3]
    data = Path(os.environ.get("WHEREFORE_DATA", home.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=data, help="folder of the data sets")
    out = home / ".wherefore" / "train" / "cross_en"
    parser.add_argument("--out", type=Path, default=out, help="folder of the run")
    parser.add_argument("--groups", type=int, default=3_200, help="queries to train with")
    parser.add_argument("--events", type=Path, help="user events, JSON lines")
    given = parser.parse_args()
    settings = CrossSettings(groups=given.groups, events=given.events)
    try:
        figures = train_cross(settings, given.data, given.out)
    except FileNotFoundError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
