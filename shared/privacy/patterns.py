"""How personal data is written, English and Chinese, in folded texts; see `shared.text.normalise`.

Checksums: ISO 7064 MOD 11-2 (GB 11643, identity cards), Luhn (ISO/IEC 7812, bank cards),
MOD 97-10 (ISO 13616, IBAN).
"""

import re
from collections.abc import Callable
from typing import Final

_ALONE_AFTER: Final = r"(?![\w/-]|\.\d)"
# Runs are taken whole and from their start: a long one that is none would be read anew from each of
# its characters.
_EMAIL: Final = re.compile(r"(?<![\w.+-])[\w.+-]++@[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.ASCII)
_MOBILE_CN: Final = re.compile(
    r"(?<![\d.+/a-z-])(?:\+?86[ -]?)?1[3-9]\d(?:\d{8}|([ -])\d{4}\1\d{4})" + _ALONE_AFTER, re.ASCII
)
_INTERNATIONAL: Final = re.compile(
    r"(?<![\w.])(?:(?:\+|00)[1-9]\d{0,2}[ .()-]{1,2}\d(?:[ .()-]{0,2}\d){6,11}"
    r"|\+[1-9]\d(?:[ .()-]{0,2}\d){7,12})(?!\d)",
    re.ASCII,
)
_NORTH_AMERICA: Final = re.compile(
    r"(?<![\w.+/-])(?:(?:\+|00)?1[ .-])?"
    r"(?:(?:\([2-9]\d\d\) ?[2-9]\d\d|8(?:00|33|44|55|66|77|88)-[2-9]\d\d)-\d{4}"
    r"|[2-9]\d\d([.-])[2-9]\d\d\1\d{4})(?: ?(?:x|ext\.?) ?\d{1,5})?" + _ALONE_AFTER
)
# Blanks and brackets alone: parts have numbers with hyphens. Ofcom's ranges: 01 and 02 places, 03,
# 08 and 09 services, 07 mobiles.
_BRITISH: Final = re.compile(
    r"(?<![\w.+/-])(?:\(0[12389]\d{1,3}\) ?|02\d |0[1389]\d\d |01\d{3} |07\d{3} )"
    r"(?:\d{3,4} \d{3,4}|\d{6,8})" + _ALONE_AFTER
)
_LANDLINE_CN: Final = re.compile(
    r"(?<![\d.+/a-z-])"
    r"(?:(?:\(0\d{2,3}\) ?|0(?:10|2\d|[3-9]\d\d)-)[2-9]\d{6,7}|[48]00-\d{3}-\d{4})" + _ALONE_AFTER,
    re.ASCII,
)
_CALLED: Final = re.compile(
    r"(?:\b(?:phone|tel|telephone|call|mobile|cell|whatsapp|fax)\b"
    r"|电话|手机号|热线|致电|联系方式|传真|微信|wechat|(?<![a-z])qq)"
    r"(?:号码?)?(?: ?(?:me|us|no|number|是|为))?[ .:：]{0,3}(?:at |on |\+)?"
    r"\(?\d(?:[ ().-]{0,2}\d){5,13}(?![\d.]|[a-z])"
)
_HANDLE: Final = re.compile(
    r"(?:微信|wechat|whatsapp|(?<![a-z])vx(?= ?[:：]))(?:号| id)?(?: ?[:：] ?|(?<=号)| )"
    r"(?=[\w-]*[\d_-])[a-z][\w-]{5,19}",
    re.ASCII,
)
_IDENTITY_CN: Final = re.compile(
    r"(?<!\w)[1-8]\d{5}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dx](?!\w)",
    re.ASCII,
)
_CARD: Final = re.compile(
    r"(?<![\w.-])(?:(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6[25]\d\d|6011|35\d\d)"
    r"([ -]?)\d{4}\1\d{4}\1\d{4}(?:\1?\d{3})?|3[47]\d\d([ -]?)\d{6}\2\d{5}"
    r"|(?:1800|2131)\d{11})(?![\w.-])",
    re.ASCII,
)
# Shorter ones are as long as codes of products (GTIN), a tenth of which pass the checksum.
_CALLED_CARD: Final = re.compile(
    r"(?:\bcard(?: (?:number|no\.?))?|\b(?:visa|maestro|diners)|卡号?)[ .:：]{0,3}(?:is |为|是)?"
    r"(?<!\d)(\d(?:[ -]?\d){11,18})(?![\w.-])",
    re.ASCII,
)
_SSN: Final = re.compile(
    r"(?:\bssn|social security)[^\d]{0,12}\d{3}-\d\d-\d{4}(?!\d)"
    # Without the word: areas, groups and serials that were given out (SSA, POMS RM 10201).
    r"|(?<![\w.-])(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}" + _ALONE_AFTER,
    re.ASCII,
)
_IBAN: Final = re.compile(
    r"(?<!\w)[a-z]{2}\d\d(?: ?[a-z0-9]{4}){2,7}(?: ?[a-z0-9]{1,3})?(?!\w)", re.ASCII
)
_ROAD: Final = (
    "street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|dr|court|way|parkway|pkwy|terrace"
)
_POSTCODE: Final = (
    r"\b[a-z]{2} \d{5}(?:-\d{4})?\b|\b[a-z]{1,2}\d{1,2}[a-z]? \d[a-z]{2}\b"
    r"|\b(?:apt|suite|unit|flat)\.? ?#?\d+"
)
_STATE: Final = (
    "a[aeklprsz]|c[aot]|d[ce]|f[lm]|g[au]|hi|i[adln]|k[sy]|la|m[adehinopst]|n[cdehjmvy]|o[hkr]"
    "|p[arw]|ri|s[cd]|t[nx]|ut|v[ait]|w[aivy]"
)
_POSTAL_AREA: Final = (
    "ab|al|ba?|b[bdhlnrst]|c[abfhmortvw]|d[adeghlnty]|e[chnx]?|f[ky]|g[luy]?|h[adgprsux]|i[gmpv]"
    "|je|k[atwy]|l[adelnsu]?|m[ekl]?|n[egnprw]?|ol|ox|p[aehlor]|r[ghm]|s[aegklmnoprstwy]?"
    "|t[adfnqrsw]|ub|w[acdfnrsv]?|yo|ze"
)
_IBAN_DIGITS: Final = 10
"""Fewer stand in model names that pass the checksum by chance."""
_STREET: Final = re.compile(
    rf"(?<![\w.])\d{{1,5}}[a-z]? (?:[a-z.]+ ){{1,3}}(?:{_ROAD})\.?,? .{{0,40}}?(?:{_POSTCODE})"
    r"|\bp\.? ?o\.? box \d+"
)
# Whatever the road is called: a number, names and a state with its ZIP code, or a postcode.
_POSTED: Final = re.compile(
    r"(?<![\w.])\d{1,5}[a-z]? [a-z][a-z.' -]{2,40}(?:(?:apt|suite|unit)\.? ?#?\w{1,5})?,"
    rf" ?[a-z][a-z.' -]{{1,30}},? (?:{_STATE}) \d{{5}}(?:-\d{{4}})?(?!\w)"
    rf"|(?<!\w)(?:psc|unit|us[a-z]{1, 4})[\w ,]{{3,30}},? [adf]po,? a[aep] \d{{5}}(?!\w)"
    r"|(?<![\w.])(?:(?:flat|studio|unit) )?\d{1,4}[a-z]?,? [a-z][a-z.', -]{4,70}[ ,]"
    rf"(?:{_POSTAL_AREA})\d[a-z\d]? \d[abd-hjlnp-uw-z]{{2}}(?!\w)",
    re.ASCII,
)
_STREET_CN: Final = re.compile(
    r"[\u4e00-\u9fff]{2,8}[市区县镇乡][\u4e00-\u9fff\d]{1,15}"
    r"(?:路|街|大道|巷|弄|胡同|村)[\u4e00-\u9fff]{0,6}\d+ ?号"
    r"|(?<!\d)\d++ ?(?:号楼|栋|幢|单元)[\d\u4e00-\u9fff]{0,6}\d+ ?室"
    # With a postcode, whatever stands for the house.
    r"|[\u4e00-\u9fff]{2,9}[省区市][\u4e00-\u9fff]{2,20}(?:[路街道巷弄村]|[a-z\d]{1,4} ?[座号])"
    r",? ?\d{6}(?!\d)"
)
WORTH: Final = re.compile(
    r"@|\d(?:[ .()-]{0,2}\d){5}|微信|wechat|vx|whatsapp|telegram|[号室]"
    r"|street|avenue|road|boulevard|lane|drive|court|way|terrace|box \d"
    r"| (?:pkwy|st|ave|rd|blvd|ln|dr)[ .,]"
    r"|[ ,][a-z]{2} \d{5}|[ ,][a-z]{1,2}\d[a-z\d]? \d[a-z]{2}"
)
"""What a text must hold for the rest to be looked at: most hold none."""


def _identity_checks(number: str) -> bool:
    total = sum(int(digit) << (17 - place) for place, digit in enumerate(number[:17]))
    return "10x98765432"[total % 11] == number[17]


def _luhn(number: str) -> bool:
    digits = [int(character) for character in number if character.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _iban(number: str) -> bool:
    plain = number.replace(" ", "")
    if not 15 <= len(plain) <= 34 or sum(map(str.isdigit, plain)) < _IBAN_DIGITS:  # noqa: PLR2004
        return False
    return int("".join(str(int(each, 36)) for each in plain[4:] + plain[:4])) % 97 == 1


KINDS: Final[tuple[tuple[str, re.Pattern[str], Callable[[str], bool] | None], ...]] = (
    ("e-mail", _EMAIL, None),
    ("identity card", _IDENTITY_CN, _identity_checks),
    ("identity card", _SSN, None),
    ("bank account", _CARD, _luhn),
    ("bank account", _CALLED_CARD, _luhn),
    ("bank account", _IBAN, _iban),
    ("phone", _MOBILE_CN, None),
    ("phone", _INTERNATIONAL, None),
    ("phone", _NORTH_AMERICA, None),
    ("phone", _BRITISH, None),
    ("phone", _LANDLINE_CN, None),
    ("phone", _CALLED, None),
    ("handle", _HANDLE, None),
    ("address", _STREET, None),
    ("address", _POSTED, None),
    ("address", _STREET_CN, None),
)
