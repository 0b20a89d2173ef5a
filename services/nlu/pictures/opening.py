"""Opens the dual encoder that the configuration names."""

from __future__ import annotations

from pathlib import Path

from services.nlu.pictures.clip import ClipDualEncoder
from services.nlu.pictures.embedded import EncoderFile, ProjectedDualEncoder
from services.nlu.pictures.port import DualEncoder
from shared.errors import UnavailableError
from shared.inference import InferenceSettings, TextEncoder, open_model, open_text_encoder


def open_dual_encoder(
    name: str, settings: InferenceSettings, texts: TextEncoder | None = None
) -> DualEncoder:
    """Returns a dual encoder. Nothing is connected before its use.

    Args:
        name: Entry of the model repository, or the path of a folder with a CLIP-type model.
        settings: Where models are served, and their limits.
        texts: A text encoder that is open already, used where it is the one that is needed; it
            stays with who opened it.

    Raises:
        UnavailableError: There is no such model, or its files were not made yet.
    """
    if "/" in name:
        return ClipDualEncoder(
            Path(name), threads=settings.threads, timeout_seconds=settings.timeout_seconds
        )
    chosen = settings.model_copy(update={"model": name, "version": 1})
    if not chosen.version_dir.is_dir():
        raise UnavailableError(f"no dual encoder {name!r} in {settings.model_dir}")
    wanted = EncoderFile.read(chosen.version_dir).text_model
    if texts is not None and texts.model.partition("@")[0] == wanted:
        return ProjectedDualEncoder(open_model(chosen), texts, chosen.version_dir)
    own = open_text_encoder(settings.model_copy(update={"model": wanted, "version": 1}))
    return ProjectedDualEncoder(open_model(chosen), own, chosen.version_dir, owned=own)
