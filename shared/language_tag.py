"""Language tags as requests and products carry them."""

import re
from typing import Final

LONGEST_TAG: Final = 35
"""Characters; RFC 5646, section 4.4.1."""
_TAG: Final = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")


def is_language_tag(code: str) -> bool:
    """Whether a text has the form of a BCP-47 tag, such as "en" or "zh-Hans"."""
    return len(code) <= LONGEST_TAG and _TAG.fullmatch(code) is not None
