"""How well what goes with a product is found: `python -m benchmarks.cross_recommendation`.

Hand-made cross-sell, up-sell and related links of the luma shop, every product of the shop as a
candidate. Rankers are trained with folds over seed products: nothing is learnt from links out of or
into a seed of the fold, and no link of a seed, in either direction, is counted for it.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import report
from benchmarks.data import data_folder
from benchmarks.peers import sentence_encoder
from services.recommend.graph.build import build_graph
from services.recommend.graph.cross_ranker import CrossRanker, fit
from services.recommend.graph.link_statistics import Link, LinkStatistics
from services.recommend.graph.pair_features import GRAPH, LEARNT, TEXT, Features, PairReader
from shared.catalogue import read_catalogue
from shared.evaluation.metrics import recall
from shared.evaluation.significance import Interval, bootstrap_interval, paired_randomisation
from wherefore.common.v1.product_pb2 import Product

KINDS = {"crosssell": "cross-sell", "upsell": "up-sell", "related": "related"}
K = 10
FOLDS = 10
SEED = 7
_CAMPAIGNS = ("Collections", "Promotions")

TEXT_ALONE = "item text alone"
MOST_LINKED = "most linked of other seeds"
BOTH = "both"
SYSTEMS: Mapping[str, tuple[str, ...]] = {
    "graph alone": GRAPH,
    "graph without counts over links": tuple(name for name in GRAPH if name not in LEARNT),
    BOTH: (TEXT, *GRAPH),
}
"""Features of each trained system."""
HEADINGS = ("system", "recall@10", "95 % interval", "difference from text", "95 % interval", "p")

Recalls = dict[str, dict[str, float]]
"""Recall@10 by seed by system."""


@dataclass(frozen=True)
class Shop:
    """The products that a shopper sees, the variants of each in one, with their links.

    Attributes:
        links: By kind.
        dropped: Links with an end that is not in the catalogue, by kind.
        cosines: (products, products), of title and description.
    """

    products: Sequence[Product]
    links: Mapping[str, Sequence[Link]]
    dropped: Mapping[str, int]
    cosines: NDArray[np.float32]

    def texts(self, seed: str) -> dict[str, float]:
        """Cosine of each product's text with the seed's, by id."""
        at = next(at for at, product in enumerate(self.products) if product.id == seed)
        ids = (product.id for product in self.products)
        return dict(zip(ids, self.cosines[at].tolist(), strict=True))


def read_shop(folder: Path) -> Shop:
    """Read the luma folder."""
    rows = [row.product for row in read_catalogue(folder, "luma") if row.product is not None]
    products = shop_products(rows)
    known = {product.id for product in products}
    links: dict[str, list[Link]] = {}
    dropped: dict[str, int] = {}
    for kind in KINDS:
        every = [
            link for file in sorted(folder.glob(f"*_Links_{kind}.csv")) for link in read_links(file)
        ]
        links[kind] = sorted({link for link in every if known.issuperset(link)})
        dropped[kind] = sum(not known.issuperset(link) for link in every)
    return Shop(products, links, dropped, _cosines(products))


def shop_products(rows: Iterable[Product]) -> list[Product]:
    """The products themselves, with the colours of their variants, sorted by id."""
    colours: dict[str, set[str]] = defaultdict(set)
    shown: list[Product] = []
    for product in rows:
        if product.variant_group_id in ("", product.id):
            shown.append(product)
        elif "colour" in product.attributes:
            colours[product.variant_group_id].update(product.attributes["colour"].texts)
    for product in shown:
        if found := colours.get(product.id):
            product.attributes["colour"].texts[:] = sorted(found)
        # Campaigns are joined to the category as if they were levels of it.
        path = list(product.category_path)
        ends = [at for at, level in enumerate(path) if level in _CAMPAIGNS]
        if ends:
            del product.category_path[ends[0] :]
    return sorted(shown, key=lambda product: product.id)


def read_links(file: Path) -> list[Link]:
    """Links of one file: `sku`, and `linked_sku` with one id a line."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return [
            (row["sku"].strip(), other.strip())
            for row in csv.DictReader(stream)
            for other in row["linked_sku"].split("\n")
            if other.strip()
        ]


def _cosines(products: Sequence[Product]) -> NDArray[np.float32]:
    texts = [f"{product.titles['en']} {product.descriptions['en']}" for product in products]
    vectors = sentence_encoder().encode(texts, batch_size=32, normalize_embeddings=True)
    return np.asarray(vectors @ vectors.T, dtype=np.float32)


def folds_of(products: Sequence[Product]) -> list[frozenset[str]]:
    """Every product once, drawn into FOLDS parts of like size."""
    ids = np.array(sorted(product.id for product in products))
    drawn = np.random.default_rng(SEED).permutation(ids)
    return [frozenset(part.tolist()) for part in np.array_split(drawn, FOLDS)]


def measure_kind(shop: Shop, reader: PairReader, links: Sequence[Link]) -> Recalls:
    """Recall@10 of every seed with every system, by links of one kind."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for seed, other in links:
        wanted[seed].add(other)
    ids = [product.id for product in shop.products]
    names = SYSTEMS[BOTH]
    recalls: Recalls = {name: {} for name in (TEXT_ALONE, MOST_LINKED, *SYSTEMS)}
    for fold in folds_of(shop.products):
        rankers = _train(shop, reader, links, fold)
        # Links into other seeds of the fold are no links of this seed; its own are left out below.
        visible = [link for link in links if link[0] not in fold]
        statistics = LinkStatistics(reader.categories(), visible)
        linked = Counter(other for _, other in visible)
        for seed in sorted(fold & wanted.keys()):
            others = [each for each in ids if each != seed]
            texts = shop.texts(seed)
            features = reader.features(seed, others, names, links=statistics, texts=texts)
            scores = {
                TEXT_ALONE: features[:, names.index(TEXT)],
                # Ties go to the text, or the order of ids would decide.
                MOST_LINKED: np.array([linked[each] + texts[each] / 10 for each in others]),
                **{
                    name: rankers[name].scores(features[:, _columns(chosen)])
                    for name, chosen in SYSTEMS.items()
                },
            }
            for name, values in scores.items():
                order = [others[at] for at in np.argsort(-values, kind="stable")]
                found = recall(order, dict.fromkeys(wanted[seed], 1), K)
                assert found is not None
                recalls[name][seed] = found
    return recalls


def _train(
    shop: Shop, reader: PairReader, links: Sequence[Link], held: frozenset[str]
) -> dict[str, CrossRanker]:
    """Train every system on products that are not held out, by the links between them."""
    kept = [link for link in links if held.isdisjoint(link)]
    statistics = LinkStatistics(reader.categories(), kept)
    linked = set(kept)
    candidates = [product.id for product in shop.products if product.id not in held]
    features: list[Features] = []
    labels: list[bool] = []
    for seed in sorted({seed for seed, _ in kept}):
        others = [each for each in candidates if each != seed]
        texts = shop.texts(seed)
        features.append(reader.features(seed, others, SYSTEMS[BOTH], links=statistics, texts=texts))
        labels += [(seed, other) in linked for other in others]
    rows = np.concatenate(features)
    return {
        name: fit(chosen, rows[:, _columns(chosen)], np.array(labels))
        for name, chosen in SYSTEMS.items()
    }


def _columns(names: Sequence[str]) -> list[int]:
    return [SYSTEMS[BOTH].index(name) for name in names]


def section(shop: Shop, recalls: Mapping[str, Recalls]) -> str:
    """The section of RESULTS.md."""
    lines = [
        "## Cross recommendation",
        "",
        report.provenance(
            "python -m benchmarks.cross_recommendation",
            f"luma, {len(shop.products)} shop products as candidates",
        ),
    ]
    for kind, title in KINDS.items():
        seeds = len(recalls[kind][TEXT_ALONE])
        lines += [
            "",
            f"### {title.capitalize()} links",
            "",
            f"{seeds} seeds, {len(shop.links[kind])} links; {shop.dropped[kind]} more lead from or "
            "to products that are not in the catalogue and are left out.",
            "",
            report.table(HEADINGS, _rows(recalls[kind])),
            "",
            _against_popularity(recalls[kind]),
        ]
    lines += ["", _NOTE]
    return "\n".join(lines)


_NOTE = f"""Item text: cosine of all-MiniLM-L6-v2 vectors of title and description. Graph: features
of the two products from the knowledge graph (category, audience, colour, material, activity, price)
and counts over the links of other seeds (which category goes with which, which products are offered
often). A logistic model for each kind of link and each row weighs them, trained in {FOLDS} folds
over seed products: nothing is learnt from links out of or into a seed of the fold, and no link of a
seed, in either direction, is counted for it, in training neither. "Most linked" needs no model and
shows how much of a figure is popularity. Intervals: percentile bootstrap over seeds, of the recall
and of the difference seed by seed; p: paired randomisation test, two-sided. A seed with more than
{K} links cannot reach recall 1."""


def _rows(recalls: Recalls) -> list[list[str]]:
    base = recalls[TEXT_ALONE]
    rows: list[list[str]] = []
    for name, values in recalls.items():
        own = [values[seed] for seed in base]
        row = [f"**{name}**" if name == BOTH else name, *_shown(bootstrap_interval(own))]
        if name == TEXT_ALONE:
            row += ["", "", ""]
        else:
            differences = [values[seed] - base[seed] for seed in base]
            p = paired_randomisation(own, list(base.values()))
            row += [*_shown(bootstrap_interval(differences), sign="+"), f"{p:.4f}"]
        rows.append(row)
    return rows


def _against_popularity(recalls: Recalls) -> str:
    ours, most = (list(recalls[name].values()) for name in (BOTH, MOST_LINKED))
    differences = [one - other for one, other in zip(ours, most, strict=True)]
    mean, interval = _shown(bootstrap_interval(differences), sign="+")
    p = paired_randomisation(ours, most)
    return f"{BOTH.capitalize()} against {MOST_LINKED}: {mean} ({interval}, p {p:.4f})."


def _shown(interval: Interval, sign: str = "") -> tuple[str, str]:
    return f"{interval.mean:{sign}.3f}", f"{interval.low:{sign}.3f} to {interval.high:{sign}.3f}"


def main() -> None:
    """Run the benchmark; writes its section of RESULTS.md unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    shop = read_shop(data_folder("luma") / "luma")
    reader = PairReader(build_graph(shop.products), shop.products)
    recalls = {kind: measure_kind(shop, reader, shop.links[kind]) for kind in KINDS}
    body = section(shop, recalls)
    print(body)
    if not options.no_write:
        report.update_section("cross-recommendation", body)


if __name__ == "__main__":
    main()
