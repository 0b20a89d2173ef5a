"""Text to vectors: one port, `TextEncoder`, with Triton or ONNX Runtime in process behind it."""

from shared.inference.port import Encoded, TextEncoder
from shared.inference.settings import InferenceSettings

__all__ = ["Encoded", "InferenceSettings", "TextEncoder", "open_text_encoder"]


def open_text_encoder(settings: InferenceSettings) -> TextEncoder:
    """Returns the encoder that `settings` name. Nothing is connected or loaded before its use.

    Args:
        settings: Which backend, which model, how long.

    Raises:
        UnavailableError: The model's files were not made yet (`make models`).
    """
    if settings.backend == "triton":
        from shared.inference.triton import TritonTextEncoder

        return TritonTextEncoder(settings)
    from shared.inference.onnx import OnnxTextEncoder

    return OnnxTextEncoder(settings)
