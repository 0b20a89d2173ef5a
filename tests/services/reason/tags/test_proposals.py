from services.reason.tags.passages import passages_of
from services.reason.tags.proposals import PhraseCounter
from services.reason.tags.vocabulary import Vocabulary
from tests.services.reason.tags.conftest import product_of


def proposals_of(vocabulary, products, least=3):
    counter = PhraseCounter(vocabulary)
    for product in products:
        counter.add(product, passages_of(product))
    return {(p.phrase, p.path): p for p in counter.proposals(least)}


def described(prefix, category, text, count, **fields):
    return [
        product_of(
            id=f"{prefix}{n}",
            category_path=[category],
            descriptions={"en": f"{text} {n}"},
            **fields,
        )
        for n in range(count)
    ]


def test_a_phrase_must_mark_its_category():
    jackets = described("j", "Jackets", "Moisture wicking lining. Free shipping.", 10)
    phones = described("p", "Phones", "Colours: some. A bright finish. Free shipping.", 10)
    others = [
        product
        for category in ("Jackets", "Phones")
        for product in described(category, category, "Plain. Free shipping.", 12)
    ]
    found = proposals_of(Vocabulary(()), [*jackets, *phones, *others])
    assert ("moisture wicking lining", ("Jackets",)) in found
    assert ("bright finish", ("Phones",)) in found
    assert not any("shipping" in phrase for phrase, _ in found)
    # Most of a category say "plain", and a colon makes a label.
    assert not any(phrase in ("plain", "colours") for phrase, _ in found)
    # Parts of a longer phrase of as many products are left out.
    assert not any(phrase == "moisture" for phrase, _ in found)
    proposal = found["bright finish", ("Phones",)]
    assert proposal.products == 10
    assert len(proposal.examples) == 3
    assert len({product_id for product_id, _ in proposal.examples}) == 3
    assert proposal.strength > 10


def test_terms_brands_and_categories_are_no_proposals(vocabulary):
    text = "Quillmo breathable jackets, airy. Blacks. Cottons."
    products = described("a", "Jackets", text, 4, brand="Quillmo")
    found = {phrase for phrase, _ in proposals_of(vocabulary, products)}
    assert found == {"airy"}


def test_variants_count_once():
    products = described("a", "Jackets", "Storm flap inside.", 4, group="g")
    assert not proposals_of(Vocabulary(()), products, least=2)


def test_chinese_phrases():
    products = [
        product_of(
            id=str(n), category_path=["鞋"], descriptions={"zh": f"鞋底采用缓震科技，轻盈。{n}"}
        )
        for n in range(3)
    ]
    found = proposals_of(Vocabulary(()), products)
    assert any("缓震" in phrase for phrase, _ in found)
    for proposal in found.values():
        for product_id, evidence in proposal.examples:
            body = products[int(product_id)].descriptions["zh"]
            assert body[evidence.start : evidence.end] == evidence.text


def test_one_text_for_many_products_counts_once():
    products = [
        product_of(id=str(n), category_path=["Balls"], descriptions={"en": "Burst resistant."})
        for n in range(5)
    ]
    assert not proposals_of(Vocabulary(()), products, least=2)


def test_a_piece_of_a_sentence_that_all_have_is_no_proposal():
    dresses = described("d", "Dresses", "The belt draws in at the waist. Wrap front.", 10)
    others = described("o", "Shoes", "Plain.", 12)
    others += described("p", "Dresses", "Nothing more.", 12)
    found = {phrase for phrase, _ in proposals_of(Vocabulary(()), [*dresses, *others])}
    assert "wrap front" in found
    assert not any("draws" in phrase for phrase in found)


def test_products_without_a_category_are_none_together():
    loose = [product_of(id=f"x{n}", descriptions={"en": f"Original pack. {n}"}) for n in range(30)]
    lamps = described("l", "Lamps", "Flicker free.", 6) + described("m", "Lamps", "Plain.", 8)
    found = proposals_of(Vocabulary(()), [*loose, *lamps])
    assert ("flicker free", ("Lamps",)) in found
    assert not any(not path for _, path in found)
    assert ("original pack", ()) in proposals_of(Vocabulary(()), loose[:6])
