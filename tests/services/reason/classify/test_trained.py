"""What a trained classifier says, and that what it shows adds up."""

import numpy as np
import pytest

from services.reason.classify.result import Abstention, Outcome, Verdict
from services.reason.classify.trained import TrainedClassifier
from services.reason.classify.weights import Calibration, ClassifierModel, ModelFileError, load
from tests.services.reason.classify.conftest import shop_products
from wherefore.common.v1.product_pb2 import Product


@pytest.fixture
def classifier(trained_shop):
    return TrainedClassifier(trained_shop.model)


def test_the_category_of_a_product_in_either_language(classifier):
    for titles in ({"en": "Black steel kettle"}, {"zh": "白色的不锈钢水壶"}):
        (said,) = classifier.classify([Product(id="x", titles=titles)])
        assert said.answer.path == ("Kitchen", "Kettles")
        assert said.answer.outcome is Outcome.CATEGORY
        assert 0.5 < said.answer.probability <= 1


def test_evidence_is_written_there_and_adds_up_to_the_score(classifier):
    products = shop_products(3)
    for most in (1, 3, 50):
        for product, said in zip(products, classifier.classify(products, 3, most), strict=True):
            assert 1 <= len(said.evidence) <= most
            for each in said.evidence:
                text = getattr(product, each.field)[each.language]
                assert text[each.start : each.end] == each.text
            strengths = [abs(each.contribution) for each in said.evidence]
            assert strengths == sorted(strengths, reverse=True)
            whole = said.bias + said.other + sum(each.contribution for each in said.evidence)
            assert whole == pytest.approx(said.score)
            if most == 50:  # every word is listed, so nothing is left over
                assert said.other == pytest.approx(0, abs=1e-6)


def test_the_words_of_the_category_speak_loudest(classifier):
    (said,) = classifier.classify([Product(id="x", titles={"en": "green ceramic mug"})])
    words = {each.text: each.contribution for each in said.evidence}
    assert words["mug"] > abs(words["green"])


def test_a_word_taken_away_takes_what_it_added(classifier):
    """Linear for real: of one unnormalised feature set, scores differ by the contributions."""
    weights = classifier.model.weights
    from services.reason.classify.features import Text
    from services.reason.classify.train.reading import form_of
    from services.reason.classify.trained import contributions, score

    scored = score(weights, form_of([Text("titles", "en", "green ceramic mug")]).counts)
    best = int(np.argmax(scored.scores))
    added = contributions(weights, scored, best)
    bias = float(weights.bias[best] - weights.bias.mean())
    assert bias + sum(added.values()) == pytest.approx(float(scored.scores[best]), abs=1e-5)


def test_probabilities_of_the_alternatives_are_a_distribution(classifier):
    (said,) = classifier.classify([shop_products(1)[0]], most=4)
    assert sum(each.probability for each in said.alternatives) == pytest.approx(1)
    falling = [each.probability for each in said.alternatives]
    assert falling == sorted(falling, reverse=True)


@pytest.mark.parametrize(
    "titles", [{"en": "Quantum flux capacitor XJ-9"}, {"zh": "学前儿童拼图"}, {"en": "..."}]
)
def test_a_product_of_another_shop_is_not_of_the_taxonomy(classifier, titles):
    (said,) = classifier.classify([Product(id="x", titles=titles, category_path=["Toys"])])
    assert said.answer.outcome is Outcome.ABSTAINED
    assert said.answer.why is Abstention.NOT_OF_TAXONOMY
    assert said.answer.path == ()
    assert said.verdict is Verdict.UNKNOWN
    assert said.alternatives


def test_a_parent_is_said_where_the_category_is_unsure(trained_shop):
    model = trained_shop.model
    sceptic = Calibration(category_threshold=2.0, parent_threshold=0.5)
    classifier = TrainedClassifier(ClassifierModel("x/1", model.tree, model.weights, sceptic))
    (said,) = classifier.classify([Product(id="x", titles={"en": "ceramic mug"})])
    assert said.answer.outcome is Outcome.PARTIAL
    assert said.answer.path == ("Kitchen", "Cups")
    assert said.answer.why is Abstention.BELOW_THRESHOLD


@pytest.mark.parametrize(
    ("stated", "verdict"),
    [
        ([], None),
        (["Kitchen", "Kettles"], Verdict.AGREES),
        (["Kitchen"], Verdict.AGREES),
        (["Kitchen", "Kettles", "Gooseneck"], Verdict.AGREES),
        (["Bags", "Backpacks"], Verdict.DOUBTED),
        (["Garden"], Verdict.UNKNOWN),
    ],
)
def test_the_stated_category_is_judged(classifier, stated, verdict):
    product = Product(id="x", titles={"en": "black steel kettle"}, category_path=stated)
    (said,) = classifier.classify([product])
    assert said.verdict is verdict


def test_a_file_says_the_same_as_what_was_saved(trained_shop, shop_file):
    read = TrainedClassifier(load(shop_file))
    assert read.model.calibration == trained_shop.model.calibration
    products = shop_products(2)
    assert read.classify(products) == TrainedClassifier(trained_shop.model).classify(products)


def test_a_damaged_file_is_refused(shop_file, tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.npz")
    for content in (b"", b"no zip", shop_file.read_bytes()[:-200]):
        path = tmp_path / "bad.npz"
        path.write_bytes(content)
        with pytest.raises(ModelFileError):
            load(path)
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(ModelFileError):
        load(tmp_path / "other.npz")
