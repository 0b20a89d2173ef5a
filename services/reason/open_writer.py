"""Opens the model that the settings name, where they say that it runs."""

from services.reason.config import Settings
from services.reason.writer import Writer


def open_writer(settings: Settings) -> Writer:
    """Returns the model's writer. Triton is not connected before its use.

    Raises:
        FileNotFoundError: The repository lacks files of the model; `make models` makes them.
    """
    folder = settings.inference.model_dir / settings.model
    if settings.inference.backend == "triton":
        from services.reason.triton_writer import TritonWriter

        return TritonWriter(folder, settings.banned_words, settings.inference.triton_target)
    from services.reason.onnx_writer import OnnxWriter

    return OnnxWriter(folder, settings.banned_words, settings.model_threads)
