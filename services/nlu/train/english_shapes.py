"""What no list holds: sizes, prices, part numbers and names of brands that nobody has heard of."""

# ruff: noqa: PLR2004 - the shares are the recipe itself.

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import Final

from services.nlu.train.english_words import choose

_CURRENCIES: Final = ("dollars", "euro", "euros", "eur", "usd", "pounds", "bucks", "gbp", "yuan")
_SIGNS: Final = ("$", "$", "$", "€", "£")
_ROUND: Final = (5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 80, 99, 100, 120, 150, 200, 250, 300, 400)
_LARGE: Final = (500, 600, 700, 800, 1000, 1200, 1500, 2000)
_LESS: Final = (
    "under|below|less than|up to|max|maximum|no more than|not more than|cheaper than|at most|<|upto"
    "|within|not over|lower than|for under|for less than|priced under|costing less than"
)
_MORE: Final = "over|above|more than|at least|from|starting at|minimum|>|not less than"
_ABOUT: Final = "around|about|for|approx|roughly|close to|max|near|at"
_VAGUE: Final = (
    "cheap|cheap|cheap|budget|affordable|inexpensive|low cost|low price|low priced|cheapest"
    "|expensive|cheaper|low budget|reasonably priced|good value"
)
_SYLLABLES: Final = [
    "ka",
    "lo",
    "mi",
    "ra",
    "ten",
    "vor",
    "zu",
    "el",
    "an",
    "dri",
    "fa",
    "ko",
    "ne",
    "pra",
    "sol",
    "tra",
    "vi",
    "wen",
    "xa",
    "yo",
    "bel",
    "cor",
    "dan",
    "fen",
    "gar",
    "hol",
    "jun",
    "kel",
    "lum",
    "mar",
    "nor",
    "or",
    "pel",
    "quin",
    "ros",
    "sen",
    "tol",
    "ul",
    "var",
    "wil",
    "zen",
    "ash",
    "bri",
    "clo",
    "eth",
    "fro",
    "gla",
    "hex",
    "iv",
]
_PART_SHAPES: Final = (
    *("aa-0000", "aa-000", "a0000a", "aa0000", "aaa-a0000", "00a0a00", "aa00", "a000", "aaa000a"),
    *("aa-a000-00", "a00-00000", "aaaa0000aa", "a-000", "a00", "aaa-000", "0000aa"),
)
_GIVEN: Final = [
    "anna",
    "marco",
    "laura",
    "peter",
    "sofia",
    "george",
    "emma",
    "paul",
    "clara",
    "oscar",
    "nina",
    "hugo",
    "vera",
    "leon",
    "ada",
    "felix",
    "rosa",
    "martin",
    "elena",
    "victor",
]


def size(shape: str, random: Random) -> list[tuple[str, str]]:
    """Returns a size in the words of a query, as (text, type) pieces.

    Args:
        shape: A name of `SHAPES`.
        random: Source of chance.
    """
    text = choose(random.choice(SHAPES[shape].split("; ")), random)
    text = _fill_numbers(text, random)
    pieces: list[tuple[str, str]] = []
    for at, piece in enumerate(text.split("~")):
        pieces.append((piece.strip(), "SIZE" if at == 0 else "ATTRIBUTE"))
    return [(piece, label) for piece, label in pieces if piece]


# Alternatives are divided by "; "; #a-b is a number between a and b; after "~" stands a part whose
# amount it is.
SHAPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "screen": (
            '(10|11.6|13|13.3|14|15.6|17|17.3|24|27|32|40|43|49|50|55|65|75)( inch| inch| inches|"'
            "|in|-inch); (21|24|27|34|6|6.5) inch~(|screen|display); #20-80 cm"
        ),
        "storage": (
            "(16|32|64|128|256|500|512|120|240)( gb|gb| gigabyte|GB)(|~storage|~ssd);"
            " (1|2|4|8)( tb|tb|TB| terabyte)"
        ),
        "memory": "(4|8|16|32|64)( gb|gb)~(ram|memory|ram)",
        "cable_length": (
            "(1|2|3|5|10|15|20|0.5|1.5|1.8)( m|m| meter| metre|ft| ft| feet| foot|-meter);"
            " (20|30|50) cm"
        ),
        "weight": "(1|2|3|5|8|10|15|20|0.5|1.5)( kg|kg| lb| lbs| pounds|lb); #100-900( g|g| grams)",
        "weight_small": "#2-25( kg|kg| lb)(|~capacity)",
        "weight_food": "(1|2|5|10|12|15|20)( kg|kg| lb); #100-900( g|g); #6-40( oz| ounce|oz)",
        "watts": "#5-2200( w|w| watt| watts|W); #1-3( kw|kw)",
        "btu": "(5000|8000|10000|12000)( btu|btu)",
        "paper": "(a4|a3|a5|a6|letter size|legal size|letter); (4x6|8.5x11|10x15|5x7)(| inch| cm)",
        "pages": "#500-9000 pages; (250|500|100) sheets",
        "pieces": "#2-48( pieces|pc| pcs| piece|-piece| count|pk| pack|-pack| ct); set of #2-12",
        "pack": "pack of #2-50; (2|3|4|6|10|12|24|100)( pack|-pack|pk| count); #2-12 packs",
        "clock": "#1-5.(2|4|5|6|0)( ghz|ghz); #1600-4400( mhz|mhz)",
        "mah": "(2000|3000|5000|10000|20000|26800|4000)( mah|mah)",
        "megapixel": "(8|12|16|20|24|48|64|108)( mp|mp| megapixel| megapixels)",
        "watch_mm": "(38|40|42|44|45|20|22)( mm|mm)",
        "battery_format": ("(aa|aaa|c|d|9v|cr2032|aa|lr44|18650|23a); (8|12|24)( pack|-pack)"),
        "focal": "(35|50|85|100|24-70|18-55|70-200|16-35|300)( mm|mm)",
        "lumens": "#200-5000( lumen| lumens|lm)",
        "volume": "(0.5|1|1.5|2|3|5|6|10|20|30|60|200)( l|l| liter| litre| liters| litres|L| quart"
        "| qt| gallon| cup); #100-900( ml|ml); #8-64( oz|oz| cubic feet)",
        "volume_small": "(30|50|75|100|125|150|200|250|300|400|500)( ml|ml); #1-17( oz| fl oz|oz)",
        "travel_small": "(50|75|100) ml; travel size",
        "width_cm": "(45|50|60|80|90|100|120|140|160|180)( cm|cm)(| wide)",
        "inches_wide": '#8-60( inch|"| inches| in|-inch)',
        "inches_tall": '#10-90( inch|"| inches|in|-inch)( tall| high|); #2-8( ft| foot| feet)',
        "inches_bag": '(13|14|15|15.6|17|20|24|28)( inch|"|-inch)',
        "litres_bag": "#10-80( l|l| liter| litre|L)",
        "cubic": "#3-30( cubic feet| cu ft| cu. ft.)",
        "feet": "#2-12( ft| feet| foot|ft|-foot|'); #4-9x#6-12(| ft| feet| rug)",
        "dimensions": (
            "#20-200( x |x| by )#20-200(| cm| inch| inches| mm);"
            " #30-200x#20-90x#10-90(| cm| inches); #4-9( x |x)#6-12(| ft| feet)"
        ),
        "diameter": '#14-40( cm|cm); #6-14( inch|-inch|")',
        "length_feet": "#3-100( ft| feet|ft| foot| m|m); #1-40( meter| metres)",
        "height_cm": "#80-200( cm|cm); #3-14( ft|ft| foot|ft.)",
        "wheel": '(16|20|24|26|27.5|28|29)( inch|"|-inch)',
        "plus": "(plus size|plus size|petite|one size|oversize|size #14-28 plus)",
        "puzzle_pieces": "#50-3000( pieces| piece|pcs)",
        "big_small": "(small|large|big|medium|extra large|huge|tiny|large|small|jumbo|xl|giant)",
        "bed_size": "(queen|king|twin|full|double|single|california king|super king|king size"
        "|queen size|twin xl|full size|twin size|cot bed)",
        "clothing_size": (
            "(size |)(s|m|l|xl|xxl|xs|3xl|2xl|4xl|small|medium|large|x-large); size #4-20;"
            " size (small|medium|large)"
        ),
        "shoe_size": "size (#5-13|#36-47|#5-12.5); (uk|us|eu) #6-46; #5-12(w|.5| wide)",
        "chest": "#34-48( inch| inch chest|r|l)",
        "waist": '(waist |)#28-44x#28-36; w#28-40 l#30-36; #28-40( inch| inch waist|")',
        "carat": "(0.5|1|1.5|2)( carat|ct| ct); (14|18)( mm|mm)",
        "pairs": "#2-10( pairs| pair); pair of #2-30( kg| lb)",
        "tyre": "#155-275/#35-75 r#13-20; #155-275-#35-75-r#14-19",
        "gauge": "#10-28 gauge; #3-200( mm|mm)",
        "tip": "0.(3|5|7|38)( mm|mm); (1|2|3)( mm|mm)",
    }
)


def price(random: Random) -> str:
    """Returns a wish for a price: "under $50", "between 20 and 40 euro", "cheap"."""
    kinds: list[Callable[[Random], str]] = [_less, _less, _less, _vague, _vague, _between, _about]
    return random.choice([*kinds, _more])(random)


def budget(random: Random) -> str:
    """Returns an amount of money alone: "$200", "300 euro"."""
    return _money(random)


def part_number(random: Random) -> str:
    """Returns a number as makers give them: "tn-2110", "ws-c2960", "q2612a", "50f2h00"."""
    shape = random.choice(_PART_SHAPES)
    return "".join(
        random.choice("abcdefghklmnprstuvwxz")
        if sign == "a"
        else random.choice("0123456789")
        if sign == "0"
        else sign
        for sign in shape
    )


def unknown_brand(random: Random) -> str:
    """Returns a name that a maker could bear, so that brands are known by where they stand."""
    if random.random() < 0.25:
        return f"{random.choice(_GIVEN)} {_word(random)}"
    if random.random() < 0.15:
        return f"{_word(random)} {random.choice(('home', 'and co', 'tech', 'living', 'sport'))}"
    return _word(random)


def _word(random: Random) -> str:
    return "".join(random.choice(_SYLLABLES) for _ in range(random.choice((2, 2, 3))))


def _number(random: Random) -> str:
    value = random.choice((*_ROUND, *_ROUND, *_LARGE))
    if random.random() < 0.15:
        value = random.randint(3, 1999)
    if random.random() < 0.08:
        return f"{value - 1}.99"
    return f"{value:,}" if value >= 1000 and random.random() < 0.3 else str(value)


def _money(random: Random, number: str = "") -> str:
    number = number or _number(random)
    way = random.random()
    if way < 0.45:
        return f"{random.choice(_SIGNS)}{number}"
    if way < 0.85:
        return f"{number} {random.choice(_CURRENCIES)}"
    return f"{number}{random.choice(('$', '€', '£', ' $', ' €'))}"


def _less(random: Random) -> str:
    amount = _money(random) if random.random() < 0.8 else _number(random)
    if random.random() < 0.06:
        return f"{amount} {random.choice(('or less', 'max', 'maximum', 'or under', 'and under'))}"
    return f"{random.choice(_LESS.split('|'))} {amount}"


def _more(random: Random) -> str:
    return f"{random.choice(_MORE.split('|'))} {_money(random)}"


def _about(random: Random) -> str:
    return f"{random.choice(_ABOUT.split('|'))} {_money(random)}"


def _vague(random: Random) -> str:
    return random.choice(_VAGUE.split("|"))


def _between(random: Random) -> str:
    low, high = sorted(random.sample((*_ROUND, *_LARGE), 2))
    sign, currency = random.choice(_SIGNS), random.choice(_CURRENCIES)
    return random.choice(
        (
            f"between {low} and {high} {currency}",
            f"between {sign}{low} and {sign}{high}",
            f"from {low} to {high} {currency}",
            f"{sign}{low}-{sign}{high}",
            f"{sign}{low} - {high}",
            f"{low}-{high} {currency}",
            f"{low} to {high} {currency}",
            f"{sign}{low} to {sign}{high}",
            f"between {low} and {high}",
        )
    )


def _fill_numbers(text: str, random: Random) -> str:
    made, at = "", 0
    while (found := text.find("#", at)) >= 0:
        low, _, rest = text[found + 1 :].partition("-")
        digits = len(rest) - len(rest.lstrip("0123456789"))
        made += text[at:found] + str(random.randint(int(low), int(rest[:digits])))
        at = found + 1 + len(low) + 1 + digits
    return made + text[at:]
