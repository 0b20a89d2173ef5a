"""The tasks by name, so that recipes can name them. Loading one reads its data set."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from services.nlu.train.examples import TaskData

TASKS = {
    "entities_zh": "chinese:entities_zh",
    "sentiment_zh": "chinese:sentiment_zh",
    "category_zh": "chinese:category_zh",
    "matching_zh": "chinese:matching_zh",
    "reason_tags_zh": "reason_tags:reason_tags_zh",
    "entities_en": "english:entities_en",
    "intents_en": "english:intents_en",
    "matching_en": "english:matching_en",
}
"""Name -> module of this package and function in it."""


def load_task(name: str, data: Path) -> TaskData:
    """Returns the examples of a task.

    Args:
        name: One of TASKS.
        data: Folder of the data sets.

    Raises:
        KeyError: No such task.
        FileNotFoundError: Its data set is missing.
    """
    module, function = TASKS[name].split(":")
    loader: Callable[[Path], TaskData] = getattr(
        import_module(f"services.nlu.train.{module}"), function
    )
    return loader(data)
