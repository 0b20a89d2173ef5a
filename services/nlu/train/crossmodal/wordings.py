"""What may be written of a picture: wordings drawn from the facts that the catalogue states.

Each wording keeps the facts that it names, so that training knows which other pictures it is true
of: "red tee" is no wrong text for another red tee of the same batch.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from services.nlu.pictures.evaluation.shop import SOLID, ShopPicture

KIND_WORDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "Hoodies & Sweatshirts": ("hoodie", "sweatshirt", "hoodies & sweatshirts", "hooded top"),
        "Tees": ("tee", "t-shirt", "tees", "shirt"),
        "Tanks": ("tank", "tank top", "tanks", "sleeveless shirt"),
        "Bras & Tanks": ("tank", "sports bra", "bras & tanks", "top"),
        "Jackets": ("jacket", "jackets", "coat"),
        "Pants": ("pants", "trousers", "pant", "leggings"),
        "Shorts": ("shorts", "short"),
        "Bags": ("bag", "bags", "backpack"),
        "Watches": ("watch", "watches"),
        "Fitness Equipment": ("fitness equipment", "gym equipment"),
        "Video Download": ("workout video", "video download"),
    }
)
_LOOSE: Final = frozenset({"hoodie", "sports bra", "leggings", "backpack", "hooded top"})
"""Words that only some products of the kind deserve: used where the title or a style says so."""
_AUDIENCE_WORDS: Final = MappingProxyType(
    {"Men": ("men's", "mens", "men", "for men"), "Women": ("women's", "womens", "women", "ladies")}
)
_PATTERN_WORDS: Final = MappingProxyType(
    {
        SOLID: ("solid", "plain", "solid colour"),
        "Color-Blocked": ("color-blocked", "colour block", "two-tone"),
        "Striped": ("striped", "with stripes", "stripes"),
        "Solid-Highlight": ("solid with highlights", "solid-highlight"),
        "Checked": ("checked", "plaid"),
        "Graphic Print": ("graphic print", "printed", "patterned"),
    }
)
_COLOUR_WORDS: Final = MappingProxyType(
    {"gray": ("gray", "grey"), "purple": ("purple", "violet"), "lavender": ("lavender",)}
)


@dataclass(frozen=True, slots=True)
class Wording:
    """A text with the facts that it names; "" where it leaves one open."""

    text: str
    product: str = ""
    colour: str = ""
    kind: str = ""
    audience: str = ""
    pattern: str = ""
    style: str = ""

    def is_true_of(self, picture: ShopPicture) -> bool:
        """Whether all that it names holds for a picture."""
        return (
            self.product in ("", picture.product)
            and self.colour in ("", picture.colour)
            and self.kind in ("", picture.kind)
            and self.audience in ("", picture.audience)
            and self.pattern in ("", picture.pattern)
            and (not self.style or self.style in picture.styles)
        )


def wordings(picture: ShopPicture, count: int, rng: random.Random) -> list[Wording]:
    """Returns wordings that are true of a picture, each once: its listing, then drawn ones.

    Args:
        picture: What the catalogue says.
        count: How many at most.
        rng: Draws.
    """
    found = {
        picture.listing: Wording(
            picture.listing, picture.product, picture.colour, picture.kind, picture.audience
        )
    }
    for _ in range(4 * count):
        if len(found) >= count:
            break
        made = _draw(picture, rng)
        found.setdefault(made.text, made)
    return list(found.values())


def _draw(picture: ShopPicture, rng: random.Random) -> Wording:
    # Titles identify the product, whose words a picture cannot show; most wordings do without.
    titled = rng.random() < 0.25  # noqa: PLR2004 - a share
    colour = picture.colour if rng.random() < 0.85 else ""  # noqa: PLR2004
    audience = picture.audience if rng.random() < 0.6 else ""  # noqa: PLR2004
    stated = picture.pattern if rng.random() < _pattern_share(picture) else ""
    style = rng.choice(picture.styles) if picture.styles and rng.random() < 0.3 else ""  # noqa: PLR2004
    kind = picture.kind if titled or rng.random() < 0.9 else ""  # noqa: PLR2004
    words = [
        rng.choice(_COLOUR_WORDS.get(colour, (colour,))),
        rng.choice(_PATTERN_WORDS.get(stated, (stated.lower(),))),
        rng.choice(_AUDIENCE_WORDS.get(audience, ("",))),
        style.lower(),
        picture.title if titled else _kind_word(picture, rng) if kind else "",
    ]
    if rng.random() < 0.3:  # noqa: PLR2004
        rng.shuffle(words)
    text = " ".join(word for word in words if word) or picture.listing
    product = picture.product if titled or text == picture.listing else ""
    return Wording(text, product, colour, kind, audience, stated, style)


def _pattern_share(picture: ShopPicture) -> float:
    return 0.15 if picture.pattern in ("", SOLID) else 0.5


def _kind_word(picture: ShopPicture, rng: random.Random) -> str:
    told = f"{picture.title} {' '.join(picture.styles)}".lower()
    fitting = [
        word
        for word in KIND_WORDS.get(picture.kind, (picture.kind.lower(),))
        if word not in _LOOSE or re.search(rf"\b{re.escape(word.split()[-1][:4])}", told)
    ]
    return rng.choice(fitting or [picture.kind.lower()])


def matches(texts: Sequence[Wording], pictures: Sequence[ShopPicture]) -> list[list[bool]]:
    """Returns which texts are true of which pictures: one row a picture."""
    return [[text.is_true_of(picture) for text in texts] for picture in pictures]
