import io

import pytest
from rich.console import Console

from services.nlu.labelling.items import Item
from services.nlu.labelling.task import Answer
from services.nlu.labelling.terminal import TerminalForm
from services.nlu.train.examples import Span
from tests.services.nlu.labelling.conftest import class_items, span_item


class Typist:
    """Types lines; remembers what stood on each line before."""

    def __init__(self, *lines: str) -> None:
        self._lines = list(lines)
        self.prefilled: list[str] = []

    def __call__(self, _prompt: str, prefilled: str) -> str:
        self.prefilled.append(prefilled)
        if not self._lines:
            raise EOFError
        return self._lines.pop(0)


def run(queue, typist, **options):
    shown = io.StringIO()
    console = Console(file=shown, width=100, highlight=False, markup=False, emoji=False)
    TerminalForm(queue, "ada", console, typist, **options).run()
    return shown.getvalue()


def answers(queue):
    return [(given["ada"].answer.label, given["ada"].note) for given in queue.answers().values()]


def test_classes_by_key_by_name_and_by_the_guess(queue):
    shown = run(queue, Typist("1", "positive", "", "q"))
    assert sorted(answers(queue)) == [("negative", ""), ("positive", ""), ("positive", "")]
    assert "1 negative  2 positive" in shown
    assert "query_zh@1 says positive (" in shown
    assert queue.progress("ada").left == 3


def test_skip_undo_note_help_and_mistakes(queue):
    shown = run(queue, Typist("?", "7", "n hard to say", "2", "s", "u", "u", "1"))
    assert "no label '7'" in shown
    assert shown.count("s skips") == 2
    assert answers(queue) == [("negative", "")]
    assert queue.progress("ada").skipped == 0


def test_a_note_goes_with_the_answer(queue):
    run(queue, Typist("n hard to say", "2", "1"))
    assert sorted(answers(queue)) == [("negative", ""), ("positive", "hard to say")]


def test_the_end_is_said(queue):
    assert "Nothing is left to label." in run(queue, Typist(*["1"] * 6))


def test_a_hidden_guess_is_neither_shown_nor_taken(queue):
    shown = run(queue, Typist("", "2"), show_guess=False)
    assert "says" not in shown
    assert "no guess to take" in shown
    assert answers(queue) == [("positive", "")]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", (Span(2, 4, "BRAND"), Span(5, 7, "PRODUCT_TYPE"))),
        ("🌈 [小米](1) 手机", (Span(2, 4, "BRAND"),)),
        ("🌈 小米 手机", ()),
    ],
)
def test_spans_are_edited_in_the_text(span_queue, line, expected):
    typist = Typist(line)
    run(span_queue, typist)
    assert typist.prefilled == ["🌈 [小米](1) [手机](2)"]
    assert span_queue.answers()[span_item().id]["ada"].answer == Answer(spans=expected)


def test_a_text_cannot_drive_the_terminal(queue):
    evil = Item("bad \x1b[2J text")
    for item in class_items():
        queue.skip("ada", item.id)
    queue.add([evil])
    assert "\x1b" not in run(queue, Typist("1"))


def test_a_text_that_looks_like_a_command_is_a_text(span_queue):
    span_queue.skip("ada", span_item().id)
    span_queue.add([Item("n 95 mask")])
    run(span_queue, Typist("n 95 [mask](2)"))
    (given,) = span_queue.answers().values()
    assert given["ada"].answer.spans == (Span(5, 9, "PRODUCT_TYPE"),)
    span_queue.undo("ada")
    run(span_queue, Typist("n 95 mask"))
    (given,) = span_queue.answers().values()
    assert given["ada"].answer == Answer()
