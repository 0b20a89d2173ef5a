"""Any CLIP-type model from a folder: a tiny one with random weights, saved as transformers does."""

from pathlib import Path

import numpy as np
import pytest

from services.nlu.pictures.opening import open_dual_encoder
from shared.errors import UnavailableError
from shared.inference import InferenceSettings

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tokenizers import Tokenizer, models, pre_tokenizers

    path = tmp_path_factory.mktemp("models") / "tiny-clip"
    torch.manual_seed(3)
    shape = {
        "hidden_size": 32, "intermediate_size": 37, "num_hidden_layers": 2,
        "num_attention_heads": 4,
    }  # fmt: skip
    config = transformers.CLIPConfig(
        text_config={**shape, "vocab_size": 20, "max_position_embeddings": 16, "eos_token_id": 2},
        vision_config={**shape, "image_size": 32, "patch_size": 8},
        projection_dim=24,
    )
    transformers.CLIPModel(config).save_pretrained(path)
    words = ["<pad>", "<start>", "<end>", "<unknown>", "red", "blue", "tee", "jacket"]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, "<unknown>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    names = dict(zip(("pad_token", "bos_token", "eos_token", "unk_token"), words, strict=False))
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=16, **names
    )
    pictures = transformers.CLIPImageProcessor(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    transformers.CLIPProcessor(pictures, fast).save_pretrained(path)
    return path


async def test_both_sides_give_unit_vectors_of_one_size(folder: Path):
    encoder = open_dual_encoder(str(folder), InferenceSettings(threads=1))
    rng = np.random.default_rng(1)
    pictures = [rng.integers(0, 255, (40, 30, 3), dtype=np.uint8) for _ in range(9)]
    seen = await encoder.encode_pictures(pictures)
    said = await encoder.encode_texts(["red tee", "blue jacket with words it does not know " * 9])
    assert encoder.dimension == 24
    assert encoder.model == "tiny-clip"
    assert seen.vectors.shape == (9, 24)
    assert said.vectors.shape == (2, 24)
    for vectors in (seen.vectors, said.vectors):
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    alone = await encoder.encode_pictures(pictures[3:4])
    assert alone.vectors[0] == pytest.approx(seen.vectors[3], abs=1e-5)
    assert (await encoder.encode_pictures([])).vectors.shape == (0, 24)
    await encoder.close()
    with pytest.raises(UnavailableError, match="closed"):
        await encoder.encode_texts(["red"])


async def test_it_says_what_transformers_says(folder: Path):
    encoder = open_dual_encoder(str(folder), InferenceSettings(threads=1))
    model = transformers.CLIPModel.from_pretrained(folder)
    processor = transformers.AutoProcessor.from_pretrained(folder)
    picture = np.random.default_rng(2).integers(0, 255, (50, 50, 3), dtype=np.uint8)
    texts = ["red tee", "blue"]
    inputs = processor(text=texts, images=[picture], return_tensors="pt", padding=True)
    with torch.no_grad():
        wanted = model(**inputs)
    seen = (await encoder.encode_pictures([picture])).vectors
    said = (await encoder.encode_texts(texts)).vectors
    assert seen == pytest.approx(wanted.image_embeds.numpy(), abs=1e-5)
    assert said == pytest.approx(wanted.text_embeds.numpy(), abs=1e-5)
    await encoder.close()


def test_a_folder_without_a_model_is_unavailable(tmp_path: Path):
    with pytest.raises(UnavailableError, match="holds no model"):
        open_dual_encoder(str(tmp_path), InferenceSettings())
    with pytest.raises(UnavailableError, match="no dual encoder 'nothing'"):
        open_dual_encoder("nothing", InferenceSettings())
