"""Choices in frames: "[very|quite] good" stands for each of its wordings."""

import re
from typing import Final

_CHOICE: Final = re.compile(r"\[([^\]]*)\]")


def written_out(text: str) -> list[str]:
    """Returns every wording of a text, the first options first."""
    texts = [""]
    for index, part in enumerate(_CHOICE.split(text)):
        options = part.split("|") if index % 2 else [part]
        texts = [text + option for text in texts for option in options]
    return texts
