"""Texts that break programs: what people paste, what attackers send, what Unicode allows."""

from __future__ import annotations

from random import Random

WORDS = (
    "wireless headphones",
    "blue cup",
    "laptop under 500",
    "not red",
    "无线耳机",
    "300元以下的保温杯",
    "不要红色",
    "比较 A 和 B",
    "32 gb",
    "5'10\"",
    "between 10 and 5",
    "¥300-¥200",
    "cheaper than -1",
    "brand",
    "en",
    "zh",
)
NUMERALS = (
    "0",
    "-0",
    "-1",
    "1e309",
    "-1e309",
    "1e-400",
    "NaN",
    "inf",
    "Infinity",
    "1_000",
    "0x10",
    "٣٢١",
    "²³",
    "½",
    "①",
    "Ⅷ",
    "九千九百九十九亿",
    "百万",
    "９９９",
    "1.2.3",
    "1,000,000.00",
    "9" * 400,
    "9" * 5000,
    "18446744073709551616",
)
UNICODE = (
    "\ufeff",
    "\u200b\u200c\u200d",
    "\u202eevil\u202c",
    "\u2066\u2069",
    "שלום مرحبا",
    "👩‍👩‍👧‍👦🏳️‍🌈🇨🇳",
    "e" + "\u0301" * 60,
    "\u0130\u0131İıſẞßŉ",
    "ﷺ",
    "\ue000\uf8ff",
    "\uffff\ufffe\ufffd",
    "\U0010ffff",
    "𠀀𪜀𫝀",
    "\u2028\u2029\u0085",
    "ÅÅ",
    "㍿㎏㏄",
    "\u00ad\u034f\u115f",
    "ｗｉｄｅ",
    "\u3000\u00a0\u2003",
)
CONTROLS = ("\x00", "\x01\x02", "\x1b[31m", "\x7f", "\x9b", "\r\n", "\t", "\b\b", "\x0c\x0b")
CODE = (
    "' OR 1=1 --",
    '"; DROP TABLE products; --',
    "${jndi:ldap://x/a}",
    "{{7*7}}",
    "%s%n%x",
    "{0.__class__}",
    "../../../../etc/passwd",
    "file:///etc/passwd",
    "<script>alert(1)</script>",
    "(((((a+)+)+)+)+)$",
    "\\",
    "\\u0000",
    "\\ud800",
    '"',
    "'",
    "`id`",
    "null",
    "None",
    "[]",
    "{}",
    "*",
    "?",
    "AND OR NOT",
    "-",
    "#",
    "@",
    "=1+1",
)
FILTERS = (
    "price < 300",
    "price.amount >= 0",
    'brand: "Acme"',
    'attributes.colour: ("red" OR "blue")',
    "in_stock = true",
    "in_stock = perhaps",
    "NOT price > 5",
    "-brand: *",
    "price = NaN",
    "price < 1e400",
    "price < 9" + "9" * 400,
    "price < -0",
    "price < ²",
    "price < 1_0",
    "((((price < 1))))",
    "(" * 25 + "price < 1" + ")" * 25,
    "price < 1 AND price > 2 OR brand: *",
    "price <",
    "= 3",
    'attributes."weird key \\" here": 1',
    "attributes.: 1",
    'id: ("fuzz-1" OR "fuzz-2")',
    "rating > 4 AND rating_count >= 1",
    "rating_count > 99999999999999999999",
    "release_time > 9999-99-99",
    'release_time > "0000-01-01T00:00:00Z"',
    'release_time > "2020-01-01"',
    'release_time > "2020-01-01T00:00:00+99:00"',
    "release_time > 1e300",
    "tags: *",
    "category: Audio",
    'product_type: "" OR material: " "',
    'currency = "EUR"',
    "variant_group_id = x",
    "size: 4" + "2" * 100,
    "flavour = 1",
    "AND",
    "price : (1 OR",
    "NOT NOT NOT price < 1",
    "rating",
    " OR ".join(["brand: x"] * 200),
    " AND ".join(["NOT price < 3"] * 130),
)
TOKENS = (
    "forged",
    "AAAA",
    "====",
    "eyJhIjoxfQ==",
    "eyJhIjoxfQ.eyJhIjoxfQ.c2ln",
    "v1.AAAA.AAAA",
    "é",
    "A" * 5000,
    ".",
    "..",
    "-_-_",
)
ORDERS = (
    "price",
    "price desc",
    "price asc, rating desc",
    "relevance",
    "id",
    "price desc desc",
    ",",
    " price ",
)
LANGUAGES = (
    "en",
    "zh",
    "zh-CN",
    "en_US",
    "EN",
    "xx",
    "zh-Hans-CN-x-private",
    "e",
    "english",
    "中文",
)
CONFIGS = (
    "search",
    "precise",
    "for-you",
    "similar",
    "popular",
    "frequently-bought-together",
    "you-may-also-like",
    "complements",
    "up-sell",
    "buy-again",
    "reorder",
    "nope",
)
KEYS = (
    "brand",
    "price",
    "category",
    "category_path",
    "attributes.colour",
    "attributes.size",
    "attributes.",
    "stock.availability",
    "rating",
    "tags",
    "release_time",
    "colour",
    "en",
    "zh",
)
SPECIAL = {
    "filter": FILTERS,
    "token": TOKENS,
    "order_by": ORDERS,
    "language": LANGUAGES,
    "serving_config": CONFIGS,
    "key": KEYS,
    "field": KEYS,
    "leg": ("dense", "sparse", "chosen", "DENSE", "nope"),
    "currency": ("CNY", "EUR", "USD", "eur", "€", "XXX", "EURO"),
    "model": ("all-minilm-l6-v2", "nope"),
    "uri": ("https://example.com/a.jpg", "http://", "javascript:alert(1)", "//x", "ftp://a/b c"),
}
"""Part of a field's name -> texts that mean something there."""
_KINDS = (WORDS, WORDS, NUMERALS, UNICODE, CONTROLS, CODE)
_LONG = 20_000


def text(random: Random, field: str = "") -> str:
    """Returns a text for a field of that name: half of the time one that means something there."""
    for part, pool in SPECIAL.items():
        if part in field and random.random() < 0.6:
            return random.choice(pool)
    return random.choice(_SHAPES)(random)


def _points(random: Random) -> str:
    return "".join(chr(_code_point(random)) for _ in range(random.randint(1, 12)))


def _long(random: Random) -> str:
    if random.random() < 0.7:
        return _piece(random) * random.randint(2, 60)
    piece = _piece(random) + random.choice(("", " "))
    return (piece * (_LONG // len(piece) + 1))[: random.randint(200, _LONG)]


def _joined(random: Random) -> str:
    joint = random.choice((" ", " ", "", ",", "\n"))
    return joint.join(_piece(random) for _ in range(random.randint(1, 3)))


_SHAPES = (
    lambda _: "",
    lambda random: " \t "[: random.randint(1, 3)],
    _points,
    _long,
    *[_joined] * 7,
)


def changed(random: Random, whole: str, field: str = "") -> str:
    """Returns `whole` with one thing done to it that a careless caller might do."""
    if not whole:
        return text(random, field)
    at = random.randrange(len(whole) + 1)
    changes = (
        lambda: whole[:at] + _piece(random) + whole[at:],
        lambda: whole[:at],
        lambda: whole[at:],
        lambda: whole * random.randint(2, 5),
        whole.upper,
        whole.swapcase,
        lambda: whole[:at] + chr(_code_point(random)) + whole[at + 1 :],
        lambda: text(random, field),
    )
    return random.choice(changes)()


def _piece(random: Random) -> str:
    return random.choice(random.choice(_KINDS))


def _code_point(random: Random) -> int:
    point = random.choice(
        (
            random.randint(0, 0x7F),
            random.randint(0x80, 0x2FFF),
            random.randint(0x4E00, 0x9FFF),
            random.randint(0, 0x10FFFF),
        )
    )
    # Half a surrogate pair is no character, and protobuf refuses to hold it.
    return 0xFFFD if 0xD800 <= point <= 0xDFFF else point
