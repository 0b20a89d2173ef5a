"""Kinds of lexicon, and the reader of their files."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files


class LexiconKind(StrEnum):
    """What a lexicon lists. The order is the precedence where two list the same form."""

    COLOUR = "colours"
    MATERIAL = "materials"
    AUDIENCE = "audiences"
    OCCASION = "occasions"
    PRODUCT_TYPE = "product_types"
    BRAND = "brands"
    FEATURE = "features"


@dataclass(frozen=True, slots=True)
class Entry:
    """One form of one canonical value.

    Attributes:
        canonical: The value that all forms stand for, in English.
        form: How it is written.
        followed_by: Characters of which one must follow the form inside a text, "$" for the end of
            its run of Han characters. Empty for no condition. It is how 男 is read in 男鞋 but not
            in a given name.
        whole_only: The form counts only as a whole value, never inside a text: "cream" names a
            colour in a table of attributes, but a cosmetic in a query.
    """

    canonical: str
    form: str
    followed_by: str = ""
    whole_only: bool = False


def read_entries(kind: LexiconKind) -> Iterator[Entry]:
    """Reads the file of a kind.

    A line is `canonical: form, form, …`. A form may start with "=" (whole values only) or hold
    `form>characters` (one of the characters must follow). The canonical value is a form itself
    unless "=canonical" says otherwise.

    Args:
        kind: Which file.

    Yields:
        The entries in the order of the file, the canonical form of a line first.
    """
    text = files("shared.text.lexicon").joinpath(f"data/{kind.value}.txt").read_text("utf-8")
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        canonical, _, rest = line.partition(": ")
        forms = [form.strip() for form in rest.split(",") if form.strip()]
        if f"={canonical}" not in forms:
            yield Entry(canonical, canonical)
        for form in forms:
            if form.startswith("="):
                yield Entry(canonical, form[1:], whole_only=True)
            else:
                name, _, followed_by = form.partition(">")
                yield Entry(canonical, name, followed_by)
