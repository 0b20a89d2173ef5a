"""The files of terms: what they may hold, and what is told of one that is wrong."""

import json

import pytest

from services.orchestrator.terms.book import read_terms
from shared.filter_syntax import join_and
from shared.yaml_file import YamlFileError
from wherefore.common.v1.product_pb2 import Product

GOOD = """
currency: EUR
groups:
  - id: trade
    discounts:
      - {percent: 5}
      - {category: "Kitchen > Mugs", percent: 12, breaks: {100: 15}}
accounts:
  - id: acme
    group: trade
    prices:
      - {product: cup, price: 7.90, breaks: {10: 7.50, 100: 6.90}, minimum: 10, step: 5}
    hidden: {tags: [retail-only]}
  - id: zeta
    only: {brands: [Zeta], categories: [Lamps]}
reserved:
  - {products: [secret], for: [trade]}
"""


def write(tmp_path, text=GOOD, rows=None):
    path = tmp_path / "terms.yaml"
    path.write_text(text, "utf-8")
    if rows is None:
        return path, None
    prices = tmp_path / "prices.jsonl"
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    prices.write_text("\n".join(lines), "utf-8")
    return path, prices


def test_accounts_have_their_groups_terms_and_their_own(tmp_path):
    found = read_terms(*write(tmp_path))
    assert set(found.contracts) == {"trade", "acme", "zeta"}
    assert found.price_count == 1
    acme = found.contracts["acme"]
    assert [party.id for party in acme.parties] == ["acme", "trade"]
    assert join_and(acme.condition, "x = 1") == 'NOT tags: "retail-only" AND x = 1'
    assert found.contracts["trade"].condition == ""
    zeta = 'NOT id: "secret" AND (brand: "Zeta" OR category: "Lamps")'
    assert found.contracts["zeta"].condition == zeta
    assert join_and(found.condition, "x = 1") == 'NOT id: "secret" AND x = 1'


def test_prices_of_a_file_of_their_own_belong_to_it(tmp_path):
    rows = [{"for": "acme", "product": f"p{n}", "price": n + 0.5} for n in range(3_000)]
    rows.append({"for": "trade", "product": "p1", "price": 2, "breaks": {"10": 1.5}})
    rows.insert(1, "")
    found = read_terms(*write(tmp_path, rows=rows))
    assert found.price_count == 3_002
    offer = found.contracts["acme"].offer(Product(id="p2999"))
    assert (offer.amount, offer.currency) == (2999.5, "EUR")
    assert found.contracts["trade"].offer(Product(id="p1")).breaks == ((10, 1.5),)


def test_the_version_is_that_of_both_files(tmp_path):
    rows = [{"for": "acme", "product": "p", "price": 1}]
    versions = [
        read_terms(*write(tmp_path, rows=[])).version,
        read_terms(*write(tmp_path, rows=rows)).version,
        read_terms(*write(tmp_path, GOOD + "# more", rows)).version,
    ]
    assert len(set(versions)) == 3
    assert read_terms(*write(tmp_path, GOOD + "# more", rows)).version == versions[-1]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("currency: EUR", "currency: euro", "currency"),
        ("currency: EUR", "", "currency: Field required"),
        ("price: 7.90", "price: 7.905", "EUR has 2 digits behind the point"),
        ("price: 7.90", "price: -1", "accounts.0.prices.0.price"),
        ("price: 7.90", "price: .nan", "accounts.0.prices.0.price"),
        ("price: 7.90, breaks", "breaks", "breaks need a price"),
        ("10: 7.50", "10: 7.90", "break 10: 7.9 must be lower than 7.9"),
        ("100: 6.90", "100: 7.60", "break 100: 7.6 must be lower than 7.5"),
        ("10: 7.50", "1: 7.50", "a break begins at 2"),
        ("10: 7.50", "12: 7.50", "break 12 is no multiple of the step 5"),
        ("minimum: 10", "minimum: 12", "minimum 12 is no multiple of the step 5"),
        ("minimum: 10", "minimum: 0", "accounts.0.prices.0.minimum"),
        ("100: 15", "100: 12", "break 100: 12 must be more than 12"),
        ("percent: 5", "percent: 0", "groups.0.discounts.0.percent"),
        ("percent: 5", "percent: 101", "groups.0.discounts.0.percent"),
        ('category: "Kitchen > Mugs", ', "", "is there twice"),
        ("group: trade", "group: none", "there is no group 'none'"),
        ("id: zeta", "id: acme", "'acme' is there twice"),
        ("id: zeta", "id: trade", "'trade' is there twice"),
        ("id: zeta", "id: a b", "accounts.1.id"),
        ("for: [trade]", "for: [nobody]", "reserved for 'nobody'"),
        ("for: [trade]", "for: []", "reserved.0.for"),
        ("tags: [retail-only]", "", "name products, brands, categories or tags"),
        ("tags: [retail-only]", "filter: 'price < 5'", "accounts.0.hidden.filter"),
        ("accounts:", "accounts: [", "terms.yaml"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path, old, new, said):
    assert old in GOOD
    path, _ = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(YamlFileError, match=r"terms\.yaml") as raised:
        read_terms(path)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", "line 2: "),
        ("[]", "line 2: "),
        ({"for": "acme", "price": 1}, "line 2: product: Field required"),
        ({"product": "p", "price": 1}, "line 2: for: Field required"),
        ({"for": "nobody", "product": "p", "price": 1}, "line 2: for: there is no account"),
        ({"for": "acme", "product": "p", "price": 0.001}, "line 2: p: price: EUR has 2"),
        ({"for": "acme", "product": "p"}, "line 2: give a price, a minimum or a step"),
        ({"for": "acme", "product": "cup", "price": 1}, "line 2: product: 'cup' is there twice"),
        ({"for": "zeta", "product": "p", "price": 2}, "line 2: product: 'p' is there twice"),
        ({"for": "acme", "product": "p", "price": 1, "cost": 1}, "line 2: cost: Extra"),
        ({"for": "acme", "product": "p" * 129, "price": 1}, "line 2: product"),
        ("x" * 20_001, "line 2: longer than"),
    ],
)
def test_what_is_wrong_with_a_line_is_told_with_its_number(tmp_path, row, said):
    first = {"for": "zeta", "product": "p", "price": 1}
    paths = write(tmp_path, rows=[first, row])
    with pytest.raises(YamlFileError, match=r"prices\.jsonl") as raised:
        read_terms(*paths)
    assert said in str(raised.value)


def test_what_hides_products_is_bounded(tmp_path):
    ids = ", ".join(f"product-number-{n}" for n in range(100))
    path, _ = write(tmp_path, GOOD.replace("tags: [retail-only]", f"products: [{ids}]"))
    with pytest.raises(YamlFileError, match="acme: what hides products is"):
        read_terms(path)


def test_a_file_that_is_not_there_is_told(tmp_path):
    path, _ = write(tmp_path)
    with pytest.raises(YamlFileError, match="No such file"):
        read_terms(tmp_path / "none.yaml")
    with pytest.raises(YamlFileError, match="No such file"):
        read_terms(path, tmp_path / "none.jsonl")
