import pytest

from services.reason.tags.negation import is_denied, is_supposed


def denied(text, form):
    start = text.index(form)
    return is_denied(text, start, start + len(form))


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("This jacket is not waterproof.", "waterproof"),
        ("It isn’t really waterproof", "waterproof"),
        ("A non-waterproof shell", "waterproof"),
        ("Comes without leather parts", "leather"),
        ("A leather-free strap", "leather"),
        ("Waterproof: no", "Waterproof"),
        ("这款手表不防水", "防水"),
        ("没有防水功能", "防水"),
        ("本品不支持防水", "防水"),
        ("防水：否", "防水"),
        ("不含皮革", "皮革"),
        ("防水性很差", "防水"),
    ],
)
def test_denials(text, form):
    assert denied(text, form)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Waterproof and light", "Waterproof"),
        ("Not only waterproof but light", "waterproof"),
        ("No zip, waterproof", "waterproof"),
        ("It does not leak. Waterproof seams", "Waterproof"),
        ("不仅防水，还很轻", "防水"),
        ("非常透气", "透气"),
        ("没有异味，透气", "透气"),
        ("不怕雨，防水", "防水"),
        ("防水性好", "防水"),
    ],
)
def test_what_only_looks_like_one(text, form):
    assert not denied(text, form)


@pytest.mark.parametrize(
    ("text", "form", "supposed"),
    [
        ("I wish it were waterproof.", "waterproof", True),
        ("Is it waterproof?", "waterproof", True),
        ("希望以后出防水的。", "防水", True),
        ("Wish it had pockets. It is waterproof.", "waterproof", False),
        ("防水很好。", "防水", False),
    ],
)
def test_wishes_and_questions(text, form, supposed):
    start = text.index(form)
    assert is_supposed(text, start, start + len(form)) is supposed
