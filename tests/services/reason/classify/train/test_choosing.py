"""Settings, vectors and second opinions come from fits that were without the product."""

from itertools import combinations

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="training needs the extra `train`")

from services.reason.classify.features import Text
from services.reason.classify.result import Outcome, Verdict
from services.reason.classify.train.calibrate import fit_temperature, log_loss, score_all
from services.reason.classify.train.choose import (
    STRENGTHS,
    FitSettings,
    by_part,
    fits_without,
)
from services.reason.classify.train.examples import Example, examples_of, folds
from services.reason.classify.train.fit import Fit
from services.reason.classify.train.pool import Encoder
from services.reason.classify.train.reading import groups_of, read
from services.reason.classify.train.review import review
from services.reason.classify.train.run import train
from services.reason.classify.trained import TrainedClassifier
from services.reason.classify.tree import CategoryTree
from services.reason.classify.weights import load, mark, save
from tests.services.reason.classify.conftest import shop_products


def test_each_product_is_left_out_once_and_no_category_with_it():
    examples = examples_of(shop_products(7), 4)
    lonely = Example("lonely", [Text("titles", "en", "spade")], ("Garden",))
    held = folds([*examples, lonely], 5, seed=0)
    assert set().union(*held) == {example.group for example in examples}
    assert not any(one & other for one, other in combinations(held, 2))
    for groups in held:
        left = {each.category for each in examples if each.group not in groups}
        assert left == {each.category for each in examples}


def noisy(count: int, seed: int) -> list[Example]:
    """Two kinds that differ by one word, which is wrong one time in five, among words of chance."""
    chance = np.random.default_rng(seed)
    made = []
    for at in range(count):
        kind = at % 2
        telling = "alpha" if (kind == 0) != (chance.random() < 0.2) else "omega"
        others = " ".join(f"w{n}x" for n in chance.integers(0, 60, 6))
        text = Text("titles", "en", f"{telling} {others}")
        made.append(Example(f"{seed}-{at}", [text], (f"kind{kind}",)))
    return made


def test_the_penalty_is_the_one_that_suits_products_left_out():
    learnt, held = read(noisy(120, 0)), read(noisy(200, 1))
    tree = CategoryTree([("kind0",), ("kind1",)])
    choice = by_part(learnt, held, tree, 1_000)
    losses = {}
    for least in (1, 2):
        fit = Fit(learnt, tree, least, 1_000)
        for strength in STRENGTHS:
            scores = score_all(fit.weights(strength), tree, held, forms=True)
            losses[FitSettings(least, strength)] = log_loss(scores, fit_temperature(scores))
    assert losses[choice.settings] <= min(losses.values()) * 1.001
    assert max(losses.values()) > min(losses.values()) * 1.05  # there was something to choose


def spoilt_shop():
    """The shop, one of whose mugs stands among the kettles."""
    products = shop_products(12)
    wrong = next(product for product in products if product.id == "mugs-3")
    del wrong.category_path[:]
    wrong.category_path.extend(["Kitchen", "Kettles"])
    return products


@pytest.mark.parametrize("small", [True, False])
def test_a_wrong_category_is_doubted_by_a_fit_without_it(monkeypatch, small):
    if not small:
        monkeypatch.setattr("services.reason.classify.train.run.SMALL", 0)
    products = spoilt_shop()
    trained = train(examples_of(products, 4), "shop/1", seed=5)
    learnt = groups_of(trained.learnt)
    assert "mugs-3" in learnt
    said = {product.id: result for _, product, result in review(trained, list(enumerate(products)))}
    assert set(said) == {product.id for product in products}
    assert not {result.verdict for result in said.values()} & {Verdict.LEARNT, Verdict.UNKNOWN}
    wrong = said["mugs-3"]
    assert wrong.alternatives[0].path == ("Kitchen", "Cups", "Mugs")
    assert wrong.stated_probability < 0.5
    doubted = {name for name, result in said.items() if result.verdict is Verdict.DOUBTED}
    assert doubted <= {"mugs-3"}

    # The classifier itself is no judge of what it was taught.
    for product, result in zip(
        products, TrainedClassifier(trained.model).classify(products), strict=True
    ):
        assert (result.verdict is Verdict.LEARNT) == (product.id in learnt)


def test_no_fit_of_the_review_has_learnt_from_what_it_judges():
    found = read(examples_of(shop_products(9), 4))
    tree = CategoryTree(sorted({each.example.category for each in found}))
    fits = fits_without(found, tree, 1_000, 0, FitSettings(2, 1.0))
    assert not any(groups_of(fit.learnt) & groups_of(fit.held) for fit in fits)
    assert groups_of(each for fit in fits for each in fit.held) == groups_of(found)


def hidden_kinds() -> list[Example]:
    """Two kinds whose words say nothing, while the encoder below knows them by their numbers."""
    chance = np.random.default_rng(3)
    return [
        Example(
            f"p{at}",
            [Text("titles", "en", " ".join(f"w{n}x" for n in chance.integers(0, 9, 4)) + f" {at}")],
            (f"kind{at % 2}",),
        )
        for at in range(80)
    ]


def encode(texts):
    rows = np.array([np.eye(3)[int(text.rsplit(" ", 1)[-1]) % 2] for text in texts])
    rows[:, 2] = 0.3
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_vectors_are_read_where_folds_say_that_they_are_worth_it(tmp_path):
    examples = hidden_kinds()
    words = train(examples, "words/1")
    both = train(examples, "both/1", encoder=Encoder("numbers@1", encode))
    assert words.model.meaning is None
    assert words.figures.accuracy < 0.8
    assert both.figures.accuracy == 1
    meaning = both.model.meaning
    assert meaning is not None
    assert meaning.encoder == "numbers@1"

    save(both.model, tmp_path / "both.npz")
    classifier = TrainedClassifier(load(tmp_path / "both.npz"))
    assert mark(both.learnt[0].example.group) in classifier.model.learnt
    from wherefore.common.v1.product_pb2 import Product

    product = Product(id="new", titles={"en": "w1x w2x 7"})
    (vector,) = encode(["w1x w2x 7"])
    (said,) = classifier.classify([product], vectors=[vector])
    assert said.alternatives[0].path == ("kind1",)
    whole = said.bias + said.other + sum(each.contribution for each in said.evidence)
    assert whole == pytest.approx(said.score)
    (without,) = classifier.classify([product])
    assert without.score != pytest.approx(said.score)
    assert without.answer.outcome in Outcome


def test_vectors_are_left_out_where_words_tell_everything(trained_shop):
    def never(texts):
        raise AssertionError(texts)

    again = train(examples_of(shop_products(), 4), "shop/1", encoder=Encoder("none@1", never))
    assert again.model.meaning is None
    assert np.array_equal(again.model.weights.steps, trained_shop.model.weights.steps)
