import pytest

from services.recommend.graph.compatibility import EXACT, FAMILY, find_fits
from services.recommend.graph.designations import designations, family, mentions, own_designations
from shared.catalogue.product_types import infer_types


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Phaser 7760", {"phaser7760"}),
        ("Kyocera FS-1020/1050", {"fs1020", "fs1050"}),
        ("HP LaserJet 4250n", {"4250n", "laserjet4250n"}),
        ("iPhone 12 case", {"iphone12"}),
        ("Inkjet 1200 x 1200 DPI", set()),
        ("Dual 2.5 39.1 cm 256 GB 512GB 1920x1080 x 10", set()),
        ("for 40 pages", set()),
        ("", set()),
    ],
)
def test_designations(text, expected):
    assert {found.key for found in designations(text)} == expected


@pytest.mark.parametrize(
    ("key", "expected"), [("cp4025dn", "cp4025"), ("cp4025", "cp4025"), ("4250n", "4250n")]
)
def test_family(key, expected):
    assert family(key) == expected


def test_what_a_product_fits_is_not_its_own(make_product):
    case = make_product("1", "Spigen TX100 case for iPhone 12", compatibility=["iPhone 13"])
    assert set(own_designations(case)) == {"tx100"}
    assert {key: each.stated for key, each in mentions(case).items()} == {
        "iphone12": False,
        "iphone13": True,
    }


def test_what_stands_in_brackets_or_is_measured_is_not_fitted(make_product):
    cord = make_product("1", "Power cord for PDU AP700, 20A, 12AWG (NEMA L5-20P to C19)")
    assert set(mentions(cord)) == {"ap700"}


def test_a_chinese_title_says_what_it_fits(make_product):
    assert set(mentions(make_product("1", "保护壳 适用 Mate 40，黑色"))) == {"mate40"}


def fits(*products, categories=None):
    found = find_fits(products, categories or {})
    return {(fit.accessory, fit.device): fit.weight for fit in found}


def test_the_brand_must_be_named(make_product):
    camera = make_product("camera", "Canon EOS 2000D", brand="Canon")
    named = make_product("named", "Grip for Canon EOS 2000D", brand="Hähnel")
    other = make_product("other", "Grip for Nikon EOS 2000D", brand="Hähnel")
    own = make_product("own", "Grip for EOS 2000D", brand="Canon")
    assert fits(camera, named, other, own) == {
        ("named", "camera"): EXACT,
        ("own", "camera"): EXACT,
    }


def test_a_variant_fits_what_its_family_fits_but_not_another_variant(make_product):
    printer = make_product("printer", "HP CP4025dn", brand="HP")
    family_ink = make_product("family", "Toner for CP4025", brand="HP")
    other_ink = make_product("other", "Toner for CP4025xh", brand="HP")
    assert fits(printer, family_ink, other_ink) == {("family", "printer"): FAMILY}


def test_a_standard_that_two_brands_carry_is_no_model(make_product):
    cards = [make_product(brand, f"{brand} DDR25 board", brand=brand) for brand in ("Asus", "MSI")]
    memory = make_product("memory", "Memory for Asus and MSI DDR25", brand="Kingston")
    assert fits(*cards, memory) == {}


def test_products_of_one_category_do_not_fit_each_other(make_product):
    one = make_product("one", "HP CP4025 toner", brand="HP")
    two = make_product("two", "Toner for CP4025", brand="HP")
    assert fits(one, two, categories={"one": "toner", "two": "toner"}) == {}


def test_an_accessory_is_no_device(make_product):
    toner = [make_product(str(n), f"HP toner for CP40{n}5", brand="HP") for n in range(6)]
    listed = make_product("listed", "HP CP4025, CP4525 kit", brand="HP")
    by_word = make_product("by-word", "HP CP4025 toner", brand="HP")
    assert fits(*toner, listed, by_word) == {}


def test_types_are_read_from_titles(make_product):
    cases = [
        make_product(str(n), f"Targus TBT{n} notebook case 39 cm Black", model=[f"TBT{n}"])
        for n in range(3)
    ]
    later = make_product("later", "Targus Deluxe Notebook Cases for 15 inch", brand="Targus")
    stated = make_product("stated", "Thing", "Things")
    unknown = make_product("unknown", "Targus 500")
    types = infer_types([*cases, later, stated, unknown])
    assert types == dict.fromkeys(("0", "1", "2", "later"), "notebook case")


def test_a_frequent_ending_is_a_type(make_product):
    cables = [make_product(f"{n:02}", f"C2G {n} ft Patch Cable - Blue") for n in range(15)]
    assert set(infer_types(cables).values()) == {"patch cable"}
    assert infer_types(cables[:14]) == {}
