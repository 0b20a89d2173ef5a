"""Forward passes behind the port `TensorModel`, texts to vectors behind `TextEncoder`.

Behind both is Triton, or ONNX Runtime in process.
"""

from shared.inference.encoder import ModelTextEncoder
from shared.inference.port import Encoded, Forwarded, ServedModel, TensorModel, TextEncoder
from shared.inference.settings import InferenceSettings

__all__ = [
    "Encoded",
    "Forwarded",
    "InferenceSettings",
    "ModelTextEncoder",
    "ServedModel",
    "TensorModel",
    "TextEncoder",
    "open_model",
    "open_text_encoder",
]


def open_model(settings: InferenceSettings) -> TensorModel:
    """Returns the model that `settings` name. Nothing is connected before its use.

    Args:
        settings: Which backend, which model, how long.

    Raises:
        UnavailableError: The model's files were not made yet (`make models`).
    """
    if settings.backend == "triton":
        from shared.inference.triton import TritonModel

        return TritonModel(settings)
    from shared.inference.onnx import OnnxModel

    return OnnxModel(settings)


def open_text_encoder(settings: InferenceSettings) -> TextEncoder:
    """Returns an encoder over the model that `settings` name.

    Raises:
        UnavailableError: The model's files were not made yet (`make models`).
    """
    return ModelTextEncoder(open_model(settings), settings)
