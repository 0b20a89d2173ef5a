"""Opens the model that the settings name."""

from services.reason.config import Settings
from services.reason.writer import Writer
from shared.inference.settings import REPOSITORY


def open_writer(settings: Settings) -> Writer:
    """Returns the model's writer.

    Raises:
        FileNotFoundError: The repository lacks files of the model; `make models` makes them.
    """
    folder = REPOSITORY / settings.model
    from services.reason.onnx_writer import OnnxWriter

    return OnnxWriter(folder, settings.banned_words, settings.model_threads)
