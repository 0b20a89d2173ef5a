"""The bundled catalogue: the same bytes every time, and products that make sense."""

import gzip
import itertools
from collections import Counter, defaultdict

import pytest

from shared.catalogue import (
    bundled_catalogue_path,
    count_rows,
    guess_format,
    validate_product,
)
from shared.catalogue.generate import catalogue_lines, generate_products, write_catalogue
from shared.catalogue.generate.command import app
from shared.catalogue.generate.prices import natural_price
from shared.catalogue.slugs import CATEGORY_SLUGS
from shared.text.language import detect_language
from shared.text.lexicon import LexiconKind, canonical

LEXICONS = {
    "colour": LexiconKind.COLOUR,
    "material": LexiconKind.MATERIAL,
    "audience": LexiconKind.AUDIENCE,
    "product_type": LexiconKind.PRODUCT_TYPE,
}


@pytest.fixture(scope="module")
def generated(vocabulary):
    return list(generate_products(vocabulary))


def of_type(products, name):
    return [p for p in products if name in p.attributes["product_type"].texts]


def test_the_file_is_what_the_generator_makes(generated):
    # Lines, not compressed bytes: builds of zlib differ in how they compress.
    lines = gzip.decompress(bundled_catalogue_path().read_bytes()).splitlines(keepends=True)
    assert lines == list(catalogue_lines(generated))


def test_the_same_products_give_the_same_bytes(tmp_path, generated):
    first, second = tmp_path / "a.jsonl.gz", tmp_path / "other.jsonl.gz"
    assert write_catalogue(first, generated) == len(generated)
    write_catalogue(second, generated)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(tmp_path.iterdir()) == [first, second]


def test_another_seed_gives_other_products(vocabulary, generated):
    other = itertools.islice(generate_products(vocabulary, seed=8), 300)
    same = sum(a == b for a, b in zip(generated, other, strict=False))
    assert same < 15


def test_an_interrupted_run_leaves_the_old_file(tmp_path, generated):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(b"old")

    def broken():
        yield generated[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_catalogue(path, broken())
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"


def test_the_command_writes_a_catalogue(tmp_path, capsys):
    path = tmp_path / "new" / "shop.jsonl.gz"
    app(["--seed", "3", "--out", str(path)], exit_on_error=False, result_action="return_value")
    assert guess_format(path) == "jsonl"
    assert count_rows(path) == count_rows(bundled_catalogue_path())
    output = capsys.readouterr()
    assert output.out == ""
    assert "products" in output.err


def test_the_file_is_small_and_has_about_two_thousand_products(products):
    assert bundled_catalogue_path().stat().st_size < 1_500_000
    assert 1_900 <= len(products) <= 2_200


def test_every_product_keeps_the_contract(products):
    assert [(p.id, validate_product(p)) for p in products if validate_product(p)] == []


def test_ids_and_titles_are_unique(products):
    assert len({p.id for p in products}) == len(products)
    for language in ("en", "zh"):
        titles = Counter(p.titles[language] for p in products)
        assert [title for title, count in titles.items() if count > 1] == []


def test_every_product_speaks_both_languages(products):
    for p in products:
        assert set(p.titles) == set(p.descriptions) == {"en", "zh"}
        assert detect_language(p.titles["zh"])[0] == "zh"
        assert p.titles["en"].isascii()
        assert p.descriptions["en"].isascii()
        assert len(p.descriptions["zh"]) >= 15
        for text in (*p.titles.values(), *p.descriptions.values()):
            assert not set(text) & set("{}|~@")
            assert "  " not in text


def test_reviews_are_in_the_language_they_state(products):
    reviews = [review for p in products for review in p.reviews]
    for review in reviews:
        has_han = any("一" <= char <= "鿿" for char in review.text)
        assert has_han == (review.language_code == "zh")
        assert not set(review.text) & set("{}|~@")
    shares = Counter(review.language_code for review in reviews)
    assert min(shares["en"], shares["zh"]) > 0.3 * len(reviews)


def test_every_category_has_enough_products_and_two_levels(products):
    tops = Counter(p.category_path[0] for p in products)
    assert len(tops) == len(CATEGORY_SLUGS)
    assert min(tops.values()) >= 50
    assert all(2 <= len(p.category_path) <= 3 for p in products)
    leaves = Counter(tuple(p.category_path) for p in products)
    assert min(leaves.values()) >= 8


def test_pictures_are_those_of_the_category(products):
    slugs = defaultdict(set)
    for p in products:
        assert len(p.images) == 1
        slugs[p.category_path[0]].add(p.images[0].uri)
    expected = {f"/static/categories/{slug}.svg" for slug in CATEGORY_SLUGS}
    assert all(len(uris) == 1 for uris in slugs.values())
    assert {uri for uris in slugs.values() for uri in uris} == expected


def test_what_lexicons_list_is_canonical(products):
    for p in products:
        for key, kind in LEXICONS.items():
            if key in p.attributes:
                for text in p.attributes[key].texts:
                    assert canonical(kind, text) == text


def test_names_of_colours_and_materials_mean_the_same_in_both_languages(vocabulary):
    for value, name in vocabulary.colours.items():
        assert canonical(LexiconKind.COLOUR, name) == value
    for value, names in vocabulary.materials.items():
        assert canonical(LexiconKind.MATERIAL, names.zh) == value


def test_brands_are_not_real_ones(vocabulary):
    brands = [brand for category in vocabulary.categories for brand in category.brands]
    assert len({brand.en for brand in brands}) == len(brands)
    for brand in brands:
        assert canonical(LexiconKind.BRAND, brand.en) is None
        assert canonical(LexiconKind.BRAND, brand.zh) is None


def test_prices_are_positive_and_plausible(products):
    for p in products:
        assert p.price.currency_code == "CNY"
        assert 1 <= p.price.amount <= 30_000
        assert p.price.list_amount == 0 or p.price.list_amount > p.price.amount
        assert ("sale" in p.tags) == bool(p.price.list_amount)
    phones, pens = of_type(products, "smartphone"), of_type(products, "pen")
    assert min(p.price.amount for p in phones) > max(p.price.amount for p in pens)


@pytest.mark.parametrize(
    ("amount", "price"), [(0.2, 1.9), (12.4, 12.9), (57.6, 58), (131.0, 129), (1340.0, 1299)]
)
def test_prices_look_like_those_of_shops(amount, price):
    assert natural_price(amount) == pytest.approx(price)


def test_variants_differ_only_in_what_variants_may(products):
    groups = defaultdict(list)
    for p in products:
        if p.variant_group_id:
            groups[p.variant_group_id].append(p)
    assert len(groups) > 300
    for group in groups.values():
        assert len(group) >= 2
        assert len({(p.brand, *p.category_path) for p in group}) == 1
        assert len({frozenset(p.attributes) for p in group}) == 1
        assert len({frozenset(t for t in p.tags if t != "bestseller") for p in group}) == 1
        differing = {
            key
            for key in group[0].attributes
            for p in group
            if p.attributes[key] != group[0].attributes[key]
        }
        assert differing
        assert len(differing - {"colour"}) <= 1
        looks = {tuple(p.attributes[key].SerializeToString() for key in differing) for p in group}
        assert len(looks) == len(group)


def test_more_costs_more_within_a_group(products):
    cakes = defaultdict(list)
    for p in of_type(products, "cake"):
        cakes[p.variant_group_id or p.id].append((p.attributes["size"].numbers[0], p.price.amount))
    for sizes in cakes.values():
        prices = [price for _, price in sorted(sizes)]
        assert prices == sorted(prices)
