import gzip
import math
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.catalogue import (
    FORMATS,
    CatalogueError,
    content_etag,
    count_rows,
    guess_format,
    read_catalogue,
    validate_product,
)
from wherefore.common.v1 import product_pb2

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("WHEREFORE_DATA", ROOT.parent / "shared" / "data"))


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_jsonl_takes_both_forms_and_goes_on_after_bad_rows(tmp_path):
    file = write(
        tmp_path / "shop.jsonl",
        '{"id": "1", "titles": {"en": "Kettle"}}\n'
        "{broken\n"
        '{"id": "2", "title": "不锈钢水壶", "price": 19.9, "currency": "EUR", "category": "A > B",'
        ' "attributes": {"capacity": 1.7}}\n'
        '{"id": "3", "title": "x", "price": NaN, "currency": "EUR"}\n'
        '{"title": "no id"}\n',
    )
    rows = list(read_catalogue(file))
    assert [row.number for row in rows] == [1, 2, 3, 4, 5]
    assert [row.error is None for row in rows] == [True, False, True, False, False]
    assert rows[2].product.titles["zh"] == "不锈钢水壶"
    assert list(rows[2].product.category_path) == ["A", "B"]
    assert list(rows[2].product.attributes["capacity"].numbers) == [1.7]
    assert rows[4].error.field == "id"
    assert count_rows(file) == 5


def test_csv_names_the_line_and_field(tmp_path):
    file = tmp_path / "shop.csv.gz"
    text = "id,title,price,currency,attributes.colour\n1,Kettle,5,EUR,red | blue\n2,Pan,NaN,EUR,\n"
    file.write_bytes(gzip.compress(text.encode("utf-8-sig")))
    first, second = read_catalogue(file)
    assert list(first.product.attributes["colour"].texts) == ["red", "blue"]
    assert (second.error.line, second.error.field) == (3, "price.amount")


def test_google_merchant_reads_tsv_and_xml(tmp_path):
    tsv = write(
        tmp_path / "feed.tsv", "id\ttitle\tprice\tcolor\n1\tCap\t19.99 EUR\tRed/Blue\n2\tHat\tx\t\n"
    )
    first, second = read_catalogue(tsv)
    assert first.product.price.amount == 19.99
    assert second.error.field == "price"
    xml = write(
        tmp_path / "feed.xml",
        '<rss xmlns:g="http://base.google.com/ns/1.0"><channel><item><g:id>1</g:id>'
        "<title>Cap</title><g:gender>female</g:gender></item></channel></rss>",
    )
    assert next(read_catalogue(xml)).product.attributes["audience"].texts == ["women"]


def test_an_entity_bomb_is_refused(tmp_path):
    file = write(tmp_path / "x.xml", '<!DOCTYPE r [<!ENTITY a "b">]><rss><item>&a;</item></rss>')
    rows = list(read_catalogue(file, "google-merchant"))
    assert rows[-1].error is not None


def test_an_unknown_format_lists_those_there_are(tmp_path):
    with pytest.raises(CatalogueError, match="google-merchant"):
        guess_format(write(tmp_path / "x.bin", "hello"))


@pytest.mark.parametrize("name", FORMATS)
@given(content=st.binary(max_size=400))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_arbitrary_bytes_give_rows_or_a_catalogue_error(tmp_path, name, content):
    file = tmp_path / "any"
    file.write_bytes(content)
    try:
        rows = list(read_catalogue(file, name))
    except CatalogueError:
        return
    assert all((row.product is None) != (row.error is None) for row in rows)


@pytest.mark.parametrize("amount", [math.nan, math.inf, -1, 2e12])
def test_a_price_must_be_finite_and_in_range(amount):
    product = product_pb2.Product(id="1", titles={"en": "x"})
    product.price.currency_code = "EUR"
    product.price.amount = amount
    assert [violation.field for violation in validate_product(product)] == ["price.amount"]


def test_the_etag_ignores_output_only_fields():
    product = product_pb2.Product(id="1", titles={"en": "x", "zh": "y"})
    etag = content_etag(product)
    product.etag = etag
    assert content_etag(product) == etag
    product.titles["en"] = "z"
    assert content_etag(product) != etag


@pytest.mark.skipif(not (DATA / "icecat").exists(), reason="no real data beside the repository")
def test_every_icecat_product_is_read():
    rows = list(read_catalogue(DATA / "icecat" / "products.jsonl.gz"))
    assert [str(row.error) for row in rows if row.error] == []
    assert len(rows) == 19_406


@pytest.mark.skipif(not (DATA / "luma").exists(), reason="no real data beside the repository")
def test_every_luma_product_is_read():
    rows = list(read_catalogue(DATA / "luma"))
    assert [str(row.error) for row in rows if row.error] == []
    assert len(rows) == 2_044
