"""Personal data is found in titles, and the numbers of products are left alone."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reason.safety.filter import unfit
from shared.privacy.personal import find_personal, masked, personal_data


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Mail a.b+c@shop.example.com", "e-mail"),
        ("Kettle 13812345678", "phone"),
        ("水壶１３８１２３４５６７８", "phone"),
        ("手机 138-1234-5678", "phone"),
        ("+86 138 1234 5678", "phone"),
        ("call (212) 555-1234 now", "phone"),
        ("1-800-555-1234", "phone"),
        ("+44 20 7946 0958", "phone"),
        ("Tel: 02079460958", "phone"),
        ("412-215-4728x0385", "phone"),
        ("(766) 217-6031 ext. 3721", "phone"),
        ("+44114 496 0815", "phone"),
        ("0151 496 0091", "phone"),
        ("(0131) 496 0597", "phone"),
        ("国际长途+86-10-62345678", "phone"),
        ("客服电话：010-62345678", "phone"),
        ("400-820-8820", "phone"),
        ("QQ：12345678", "phone"),
        ("加微信号 shop_2020x", "handle"),
        ("11010519491231002X", "identity card"),
        ("SSN 078-05-1120", "identity card"),
        ("812-19-6551", "identity card"),
        ("4111 1111 1111 1111", "bank account"),
        ("378282246310005", "bank account"),
        ("213112645024155", "bank account"),
        ("card number: 30152726468286", "bank account"),
        ("GB82 WEST 1234 5698 7654 32", "bank account"),
        ("12 Baker Street, London NW1 6XE", "address"),
        ("350 Fifth Avenue, New York, NY 10118", "address"),
        ("PO Box 123", "address"),
        ("94099 Tammy Key Apt. 240, West Michael, NJ 32927", "address"),
        ("PSC 6404, Box 7901, APO AA 55375", "address"),
        ("65 Jasmine Inlet, East Ryanfort, W1G 6XF", "address"),
        ("吉林省欣县城东黄路a座 567428", "address"),
        ("北京市海淀区中关村大街27号", "address"),
        ("3号楼2单元501室", "address"),
    ],
)
def test_personal_data_is_found(text: str, kind: str) -> None:
    assert personal_data(text) == kind
    assert unfit(text) == "personal_data"


@pytest.mark.parametrize(
    "text",
    [
        "WH-1000XM5",
        "4.7",
        "0065030815772",
        "5901234123457",
        "¥1,299.00, within your ¥1,500",
        "Canon EOS 2000D 18-55mm 24.1 MP 6000 x 4000",
        "HP 500 GB Hard Drive",
        "Cisco WS-C2960-24TT-L",
        "110105194912310021",
        "4111111111111112",
        "APC NetShelter VX Seismic 42U - Black",
        "27 Speed Road bike, Black",
        "1920 x 1080 pixels, 120-240 V",
        "iPhone 13 128GB",
        "27号床上用品四件套",
        "1,320 reviews, 120 sold in the last 30 days",
        "Part no. 13812345678A",
        "SKU1381234567890",
        "900-12-3456",
        "part 0151-496-0091",
        "30152726468286",
        "12 sheets of glossy paper, a4 2pk",
        "20 Mbit/s, 64 GB, in 48000 colours",
    ],
)
def test_numbers_of_products_are_none(text: str) -> None:
    assert personal_data(text) == ""


def test_one_digit_off_is_no_card() -> None:
    """Checksums: of the ten last digits one alone makes a number of an identity or bank card."""
    identity = [n for n in "0123456789X" if personal_data("11010519491231002" + n)]
    assert identity == ["X"]
    bank = [n for n in range(10) if personal_data(f"411111111111111{n}")]
    assert bank == [1]


def test_places_are_those_of_the_text_as_it_was_typed() -> None:
    text = "  Ring ＋８６ １３８１２３４５６７８ or MAIL\t Ann@Example.COM, ﬁne"
    found = [(each.kind, text[each.start : each.end]) for each in find_personal(text)]
    assert found == [("phone", "＋８６ １３８１２３４５６７８"), ("e-mail", "Ann@Example.COM")]
    assert masked(text) == "  Ring [phone] or MAIL\t [e-mail], ﬁne"


@given(st.text(max_size=200))
def test_texts_without_it_are_left_as_they_are_and_masking_is_final(text: str) -> None:
    once = masked(text)
    assert (once == text) == (not find_personal(text))
    assert len(find_personal(text)) <= len(text)


@pytest.mark.parametrize(
    "piece", ["9", "a", "a.", "1-", "+", "中", "中市路9", "9号", "a@", "1 a st "]
)
def test_long_texts_are_read_in_time_that_grows_with_them(piece: str) -> None:
    long = piece * (200_000 // len(piece))
    begun = time.process_time()
    personal_data(long)
    # Passes over all of it take tenths of a second; one from each character took minutes.
    assert time.process_time() - begun < 20


def test_what_is_found_does_not_begin_amid_a_run() -> None:
    text = f"{'a' * 100}@shop.example.com, x@y@shop.example.com, 1234567栋12室"
    assert masked(text) == "[e-mail], x@[e-mail], [address]"
