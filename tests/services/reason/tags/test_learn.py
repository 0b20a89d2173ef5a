import pytest

pytest.importorskip("sklearn", reason="the extra train is not installed")
pytest.importorskip("scipy", reason="the extra train is not installed")

import random

import numpy as np

from services.reason.tags.builder import build_vocabulary
from services.reason.tags.examples import examples_of
from services.reason.tags.features import Reading
from services.reason.tags.learn import learn
from services.reason.tags.model import ModelError, read_model, write_model
from services.reason.tags.pairs import TooFewProductsError
from services.reason.tags.passages import passages_of
from services.reason.tags.signals import mention_columns
from services.reason.tags.tagger import Method, Tagger
from tests.services.reason.tags.conftest import product_of

SEASONS = {"summer": ("airy", "beach", "sun"), "winter": ("snow", "frost", "padded")}


def catalogue(count, seed):
    """Shirts and socks, whose season no text names."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    for at in range(count):
        season = draw.choice(sorted(SEASONS))
        colour = draw.choice(["black", "white"])
        text = f"A piece for {draw.choice(SEASONS[season])} days in {colour}."
        yield product_of(
            id=f"p{seed}-{at}",
            titles={"en": f"Model {at}"},
            descriptions={"en": text},
            category_path=["Shirts"] if at % 2 else ["Socks"],
            attributes={"season": [season], "colour": [colour], "fit": ["slim"] if at % 2 else []},
        )


@pytest.fixture(scope="module")
def learnt():
    examples = examples_of(catalogue(120, 1))
    vocabulary = build_vocabulary(examples)
    return vocabulary, learn(examples, vocabulary)


def test_infers_what_no_text_names_and_says_from_which_words(learnt):
    vocabulary, model = learnt
    tagger = Tagger(vocabulary, model)
    right = 0
    products = list(catalogue(40, 2))
    for product in products:
        tags = {tag.term.key: tag for tag in tagger.tag(product)}
        season = product.attributes["season"].texts[0]
        right += tags["season"].term.value == season
        assert tags["season"].method is Method.MODEL
        assert tags["season"].stated
        words = {e.text for e in tags["season"].evidence}
        assert any(word in " ".join(words) for word in SEASONS[season])
        for tag in tags.values():
            for evidence in tag.evidence:
                kind, _, language = evidence.source.partition(".")
                source = (
                    " / ".join(product.category_path)
                    if kind == "category_path"
                    else getattr(product, kind)[language]
                )
                assert source[evidence.start : evidence.end] == evidence.text
        assert tags["colour"].method is Method.WORDS
        # Every shirt is slim and no sock is: the category says so, and the vocabulary.
        assert ("fit" in tags) == (product.category_path[0] == "Shirts")
    assert right == len(products)


def test_a_model_that_was_kept_says_the_same(learnt, tmp_path):
    vocabulary, model = learnt
    path = tmp_path / "model.npz"
    write_model(path, model)
    kept = read_model(path)
    assert (kept.terms, kept.threshold) == (model.terms, model.threshold)
    assert len(kept.version) == 12
    product = next(catalogue(1, 3))
    reading = Reading(passages_of(product), tuple(product.category_path))
    one = Tagger(vocabulary, model).probabilities(reading)[0]
    other = Tagger(vocabulary, kept).probabilities(reading)[0]
    assert one == pytest.approx(other)


def test_what_the_text_denies_is_not_inferred(learnt):
    vocabulary, model = learnt
    for text, black in (("A snow piece.", True), ("A snow piece, not in black.", False)):
        product = product_of(descriptions={"en": text}, category_path=["Shirts"])
        found = {tag.term.id for tag in Tagger(vocabulary, model).tag(product, least=0)}
        assert (("colour", "black") in found) is black
        assert ("colour", "white") in found


def test_a_term_that_a_person_takes_out_is_never_given(learnt):
    vocabulary, model = learnt
    fewer = type(vocabulary)(
        tuple(term for term in vocabulary.terms if term.key != "season"), vocabulary.praise
    )
    for product in catalogue(10, 4):
        assert "season" not in {tag.term.key for tag in Tagger(fewer, model).tag(product, least=0)}


def test_confidence_is_calibrated_on_products_of_another_draw(learnt):
    vocabulary, model = learnt
    tagger = Tagger(vocabulary, model)
    told, true = [], []
    for example in examples_of(catalogue(200, 5)):
        shares, _ = tagger.probabilities(Reading(example.passages, example.path))
        for at, share in shares.items():
            told.append(share)
            true.append(vocabulary.terms[at].id in example.stated)
    told, true = np.array(told), np.array(true)
    for low in (0.0, 0.5):
        within = (told >= low) & (told < low + 0.5001)
        assert abs(told[within].mean() - true[within].mean()) < 0.1


@pytest.mark.parametrize("alike", [True, False])
def test_too_little_is_told(alike):
    products = [
        product_of(
            id=str(n),
            descriptions={"en": "Cup" if alike else f"Cup {n}"},
            attributes={"colour": ["black"]} if alike else {},
        )
        for n in range(20)
    ]
    examples = examples_of(products)
    with pytest.raises(TooFewProductsError, match="description of their own" if alike else "term"):
        learn(examples, build_vocabulary(examples))


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_model_is_told(tmp_path, data):
    path = tmp_path / "model.npz"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"model\.npz"):
        read_model(path)


def test_mentions_make_columns(vocabulary):
    assert mention_columns({}, [0, 1]).tolist() == [[0, 0, 0], [0, 0, 0]]
