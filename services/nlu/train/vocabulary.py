"""A character vocabulary: every character is a token, as Chinese product titles need.

Titles mix Han characters with model numbers, and spans begin anywhere; with one token a character
every span is exact and no token is cut by a label.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from shared.text.normalise import fold

PAD, UNKNOWN, CLS, SEP, MASK = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
SPECIAL = (PAD, UNKNOWN, CLS, SEP, MASK)
"""In the order of their ids: padding is 0, as the exported graphs take for granted."""


def build_character_tokenizer(texts: Iterable[str], *, min_count: int = 3) -> Any:
    """Returns a `tokenizers.Tokenizer` over the characters of `texts`.

    It folds (NFKC, lower case), drops white space, and frames a text as [CLS] ... [SEP]; its
    offsets are those of the text as given.

    Args:
        texts: The training texts, and no others.
        min_count: Characters seen less often become [UNK].
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(fold(text).replace(" ", ""))
    kept = sorted(
        (item for item in counts.items() if item[1] >= min_count),
        key=lambda item: (-item[1], item[0]),
    )
    vocabulary = {token: index for index, token in enumerate((*SPECIAL, *(c for c, _ in kept)))}
    tokenizer: Any = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex("."), "isolated")]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{CLS} $A {SEP}",
        pair=f"{CLS} $A {SEP} $B {SEP}",
        special_tokens=[(CLS, vocabulary[CLS]), (SEP, vocabulary[SEP])],
    )
    return tokenizer


def save_tokenizer(tokenizer: Any, folder: Path) -> Path:
    """Writes `tokenizer.json` into `folder` and returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tokenizer.json"
    tokenizer.save(str(path))
    return path
