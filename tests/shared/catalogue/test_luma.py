"""Luma's tables: what is taken from them, and how bad rows are told apart from good ones."""

import pytest

from shared.catalogue import read_catalogue
from wherefore.common.v1.product_pb2 import AVAILABILITY_IN_STOCK, AVAILABILITY_OUT_OF_STOCK

CONFIGURABLE = "ConfigurableSampleData_products.csv"
GEAR = "CatalogSampleData_SimpleProduct_products_gear_bags.csv"
REVIEWS = "ReviewSampleData_products_reviews.csv"
CONFIGURABLE_HEADER = (
    "sku,product_type,categories,name,description,price,base_image,additional_attributes,qty,"
    "configurable_variations\n"
)
GEAR_HEADER = "category,name,sku,price,qty,description,material,color,sale\n"


@pytest.fixture
def shop(tmp_path):
    (tmp_path / CONFIGURABLE).write_text(
        CONFIGURABLE_HEADER
        + 'TEE-S,simple,"Default Category/Men,Default Category/Men/Tees",Plain tee S,<p>Soft.</p>,'
        + '19,/t.jpg,"color=Blue|Red,size=S,sale=Yes,has_options=Yes",5,\n'
        + 'TEE,configurable,Default Category/Men/Tees,Plain tee,,19,,"color=Blue",0,'
        + '"sku=TEE-S,size=S|sku=TEE-M,size=M"\n',
        encoding="utf-8",
    )
    (tmp_path / REVIEWS).write_text(
        "sku,rating_value,review\nTEE,5,Wears well.\nTEE,3,Too long.\nTEE,x,No stars.\nTEE,4,\n",
        encoding="utf-8",
    )
    return tmp_path


def read_gear(folder, lines):
    (folder / GEAR).write_text(GEAR_HEADER + lines, encoding="utf-8")
    return list(read_catalogue(folder))


def test_variants_share_the_group_of_their_product(shop):
    simple, configurable = (row.product for row in read_catalogue(shop))
    assert simple.variant_group_id == configurable.variant_group_id == "TEE"
    assert list(simple.category_path) == ["Men", "Tees"]
    assert simple.descriptions["en"] == "Soft."
    assert (simple.price.amount, simple.price.currency_code) == (19, "USD")
    assert list(simple.attributes["colour"].texts) == ["Blue", "Red"]
    assert "has_options" not in simple.attributes
    assert list(simple.tags) == ["sale"]
    assert (simple.stock.availability, simple.stock.quantity) == (AVAILABILITY_IN_STOCK, 5)


def test_a_configurable_product_has_no_units_of_its_own_and_keeps_reviews(shop):
    _, row = read_catalogue(shop)
    product = row.product
    assert product.stock.availability == AVAILABILITY_IN_STOCK
    assert not product.stock.HasField("quantity")
    assert [review.rating for review in product.reviews] == [5, 3, 0]
    assert product.review_summary.rating_count == 2
    assert product.review_summary.average_rating == 4


def test_gear_comes_from_a_table_of_its_own(tmp_path):
    (row,) = read_gear(tmp_path, '"Gear\nBags",Duffle,B1,34,0,,"Nylon\nMesh",,\n')
    assert list(row.product.category_path) == ["Gear", "Bags"]
    assert list(row.product.attributes["material"].texts) == ["Nylon", "Mesh"]
    assert row.product.stock.availability == AVAILABILITY_OUT_OF_STOCK


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("Gear,Bag,,34,1,,,,", "id"),
        ("Gear,Bag,B 1,34,1,,,,", "id"),
        ("Gear,,B1,34,1,,,,", 'titles["en"]'),
        ("Gear,Bag,B1,cheap,1,,,,", "price"),
        ("Gear,Bag,B1,NaN,1,,,,", "price"),
        ("Gear,Bag,B1,-3,1,,,,", "price.amount"),
        ("Gear,Bag,B1,34,many,,,,", "qty"),
        ("Gear,Bag,B1,34,-1,,,,", "qty"),
        ("Gear,Bag,B1,34,1e30,,,,", "qty"),
        ("Gear,Bag,B1,34,1,,,,,surplus,cells", ""),
    ],
)
def test_a_bad_row_is_refused_and_the_next_is_read(tmp_path, line, field):
    bad, good = read_gear(tmp_path, f"{line}\nGear,Watch,W1,10,1,,,,\n")
    assert bad.product is None
    assert bad.error.field == field
    assert bad.error.reason
    assert good.product.id == "W1"
    assert (bad.number, good.number) == (1, 2)


def test_a_table_without_skus_gives_refused_rows(tmp_path):
    (tmp_path / CONFIGURABLE).write_text(
        'name,configurable_variations\nTee,"sku=TEE-S,size=S"\n', encoding="utf-8"
    )
    (row,) = read_catalogue(tmp_path)
    assert row.error.field == "id"


def test_titles_are_plain_text(tmp_path):
    (row,) = read_gear(tmp_path, "Gear,Pursuit Lumaflex&trade;  Tone Band ,24-UG02,16,5,,,,\n")
    assert row.product.titles["en"] == "Pursuit Lumaflex™ Tone Band"
