"""Settings of inference; a service's own settings hold them as a field."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, Field

REPOSITORY = Path(__file__).resolve().parents[2] / "models"
"""The Triton model repository of this checkout."""

VECTOR_MODEL = "query_en"
"""Makes the vectors of queries and documents."""

QUERY_MODELS: Mapping[str, str] = MappingProxyType({"en": "query_en", "zh": "query_zh"})
"""Learnt readers of queries: BCP-47 language -> model."""

CROSS_MODEL = "cross_en"
"""Reads pairs of texts together; empty for none."""

ATTRIBUTION_MODEL = "cross_en_attribution"
"""Says what each word of a pair did to the answer of CROSS_MODEL; empty for none."""

PICTURE_MODEL = "pictures_luma"
"""Makes the vectors of pictures, and of texts that are compared with them; empty for none."""

REASON_MODEL = "reason_small"
"""Words reasons where no setting names another; empty for templates."""


class InferenceSettings(BaseModel):
    """Which backend encodes texts, with which model, and within what limits."""

    backend: Literal["triton", "onnx"] = "triton"
    """A Triton server, or ONNX Runtime in this process."""

    triton_target: str = "127.0.0.1:7711"
    """HOST:PORT of Triton's gRPC endpoint."""

    model: str = VECTOR_MODEL
    """Name of the model's folder in the repository, and of the model in Triton."""

    version: int = Field(default=1, ge=1)
    """Version of the model: the folder in its folder."""

    model_dir: Path = REPOSITORY
    """The model repository: tokenizer always, weights for the "onnx" backend."""

    timeout_seconds: float = Field(default=30.0, gt=0)
    """Longest wait for one batch, in seconds; the caller's deadline may make it shorter."""

    max_tokens: int = Field(default=128, ge=3, le=512)
    """Window of the model: tokens of a text, the two special ones included; the rest is cut."""

    batch_size: int = Field(default=8, ge=1, le=64)
    """Texts sent at once. A larger batch holds up the queries that arrive behind it."""

    threads: int = Field(default=0, ge=0)
    """Threads of one forward pass in process; 0 is one a core."""

    pad_to: int = Field(default=1, ge=1, le=128)
    """Rows are filled up to a multiple of so many tokens. Our own wrapper pads whatever arrives;
    the ONNX Runtime backend on a GPU batches requests of equal length only, and TensorRT tunes an
    engine to each length, so 16 suits those."""

    triton_config: str = ""
    """Name of the configuration that Triton was started with (`--model-config-name`), such as
    "cuda"; empty for config.pbtxt. It says which outputs there are."""

    @property
    def version_dir(self) -> Path:
        """Folder of the model's files."""
        return self.model_dir / self.model / str(self.version)
