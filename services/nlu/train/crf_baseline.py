"""A conditional random field over characters (Lafferty et al., 2001): the baseline for entities."""

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from services.nlu.train.examples import Example, Span

LIBRARY = "pycrfsuite"


def has_library() -> bool:
    """Whether the optional package `python-crfsuite` is installed."""
    return find_spec(LIBRARY) is not None


class CharacterCrf:
    """A CRF on characters in a window of two to either side.

    Args:
        examples: With spans, to train on.
        iterations: Of L-BFGS, at most.

    Raises:
        ModuleNotFoundError: `python-crfsuite` is not installed.
    """

    def __init__(self, examples: Sequence[Example], *, iterations: int = 80) -> None:
        # It has no types.
        library: Any = import_module(LIBRARY)
        trainer = library.Trainer(verbose=False)
        for example in examples:
            if example.text:
                trainer.append(_features(example.text), tags_of(example))
        trainer.set_params({"c1": 0.1, "c2": 0.05, "max_iterations": iterations})
        with TemporaryDirectory() as folder:
            path = Path(folder) / "model.crf"
            trainer.train(str(path))
            # The tagger reads these bytes for as long as it is asked, and keeps none of them.
            self._read = path.read_bytes()
            self._tagger: Any = library.Tagger()
            self._tagger.open_inmemory(self._read)

    def find(self, text: str) -> tuple[Span, ...]:
        """Returns the spans of a text."""
        return spans_of_tags(self._tagger.tag(_features(text))) if text else ()


def tags_of(example: Example) -> list[str]:
    """Returns the BIO tag of every code point of an example."""
    tags = ["O"] * len(example.text)
    for span in example.spans:
        inside = [f"I-{span.label}"] * (span.end - span.start - 1)
        tags[span.start : span.end] = [f"B-{span.label}", *inside]
    return tags


def spans_of_tags(tags: Sequence[str]) -> tuple[Span, ...]:
    """Returns the spans of BIO tags, one a code point; an I- that continues nothing begins one."""
    spans: list[Span] = []
    previous = "O"
    for at, tag in enumerate(tags):
        if tag[0] == "I" and previous[1:] == tag[1:]:
            spans[-1] = Span(spans[-1].start, at + 1, spans[-1].label)
        elif tag != "O":
            spans.append(Span(at, at + 1, tag[2:]))
        previous = tag
    return tuple(spans)


def _features(text: str) -> list[list[str]]:
    letters = ["<<", "<", *text.lower(), ">", ">>"]
    rows: list[list[str]] = []
    for at in range(2, len(letters) - 2):
        around = letters[at - 2 : at + 3]
        rows.append(
            [
                "bias",
                *(f"{place}:{letter}" for place, letter in enumerate(around)),
                *(f"{place}+:{around[place]}{around[place + 1]}" for place in range(4)),
                f"t:{''.join(_kind(letter) for letter in around[1:4])}",
            ]
        )
    return rows


def _kind(letter: str) -> str:
    if len(letter) > 1 or letter in "<>":
        return "e"
    if letter.isdigit():
        return "9"
    if letter.isascii():
        return "a" if letter.isalpha() else "."
    return "h" if letter.isalpha() else ","
