"""The form in a terminal: a line a text, so that it also works over a pipe."""

from collections.abc import Callable
from typing import Final

from rich.console import Console
from rich.text import Text

from services.nlu.labelling.items import Item
from services.nlu.labelling.marks import keys, read_marks, with_marks, without_marks
from services.nlu.labelling.queue import LabelQueue
from services.nlu.labelling.task import Answer, LabellingError
from services.nlu.train.examples import TaskKind

Ask = Callable[[str, str], str]
"""Prompt and what stands on the line already -> the line; EOFError at the end."""

_HELP: Final = {
    TaskKind.CLASSES: "a number or a label's name labels; Enter takes the model's guess",
    TaskKind.TOKENS: "mark words as [words](1) and press Enter; Enter alone keeps the marks shown",
}
_COMMANDS: Final = "s skips · u undoes · n WORDS notes · q quits · ? helps"


class TerminalForm:
    """Asks one annotator until the queue is empty or they quit.

    Args:
        queue: Where answers are kept.
        annotator: Who answers.
        console: Where texts are shown.
        ask: Reads a line.
        show_guess: Whether the model's guess is shown and taken by Enter.
    """

    def __init__(
        self,
        queue: LabelQueue,
        annotator: str,
        console: Console,
        ask: Ask,
        *,
        show_guess: bool = True,
    ) -> None:
        self._queue = queue
        self._annotator = annotator
        self._console = console
        self._ask = ask
        self._show_guess = show_guess
        self._note = ""

    def run(self) -> None:
        """Asks; returns when nothing is left, on `q`, or at the end of the input."""
        self._help()
        while (item := self._queue.next(self._annotator)) is not None:
            guess = self._guess(item)
            self._show(item, guess)
            try:
                line = self._ask("> ", self._prefilled(item, guess)).strip()
            except EOFError:
                return
            if line == "q":
                return
            try:
                self._act(item, guess, line)
            except LabellingError as error:
                self._say(f"{error}", "red")
        self._say("Nothing is left to label.", "bold")

    def _act(self, item: Item, guess: Answer | None, line: str) -> None:
        # A text may begin like a command: "n 95 mask".
        marked = self._queue.task.kind is TaskKind.TOKENS and without_marks(line) == item.text
        match [] if marked else line.split(maxsplit=1):
            case ["s"]:
                self._queue.skip(self._annotator, item.id, self._note)
                self._note = ""
            case ["u"]:
                if self._queue.undo(self._annotator) is None:
                    raise LabellingError("there is nothing to undo")
            case ["n", note]:
                self._note = note
                self._say("The note goes with your answer to this text.", "dim")
            case ["?"]:
                self._help()
            case _:
                answer = self._answer(item, guess, line)
                self._queue.label(self._annotator, item.id, answer, self._note)
                self._note = ""

    def _answer(self, item: Item, guess: Answer | None, line: str) -> Answer:
        task = self._queue.task
        if task.kind is TaskKind.TOKENS:
            if not line:
                return guess or Answer()
            return Answer(spans=read_marks(line, item.text, task))
        if not line:
            if guess is None:
                raise LabellingError("there is no guess to take; type a label")
            return guess
        return Answer(keys(task).get(line, line))

    def _guess(self, item: Item) -> Answer | None:
        reading = item.reading if self._show_guess else None
        return reading.guess(self._queue.task) if reading else None

    def _prefilled(self, item: Item, guess: Answer | None) -> str:
        if self._queue.task.kind is TaskKind.CLASSES:
            return ""
        return with_marks(item.text, guess.spans if guess else (), self._queue.task)

    def _show(self, item: Item, guess: Answer | None) -> None:
        progress = self._queue.progress(self._annotator)
        self._say(f"\n{progress.labelled} labelled · {progress.left} left", "dim")
        shown = Text(_printable(item.text), style="bold")
        for span in guess.spans if guess else ():
            shown.stylize("reverse", span.start, span.end)
        self._console.print(shown)
        choices = "  ".join(f"{key} {label}" for key, label in keys(self._queue.task).items())
        self._say(choices, "cyan")
        if guess is not None and guess.label and item.reading:
            share = item.reading.classes[guess.label]
            self._say(f"{item.reading.model} says {guess.label} ({share:.0%})", "dim")

    def _help(self) -> None:
        self._say(f"{_HELP[self._queue.task.kind]}\n{_COMMANDS}", "dim")

    def _say(self, words: str, style: str) -> None:
        self._console.print(Text(words, style=style))


def ask_line(prompt: str, prefilled: str) -> str:
    """Reads a line from the terminal, with words on it that can be edited where readline is.

    Raises:
        EOFError: The input has ended.
    """
    try:
        import readline
    except ImportError:  # not on every system
        return input(prompt)
    readline.set_startup_hook(lambda: readline.insert_text(prefilled))
    try:
        return input(prompt)
    finally:
        readline.set_startup_hook()


def _printable(text: str) -> str:
    """A text must not drive the terminal; its length stays, so that spans hold."""
    return "".join(character if character.isprintable() else " " for character in text)
