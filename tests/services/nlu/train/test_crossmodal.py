"""The dual encoder from data to what is served, on a shop that is drawn here."""

import asyncio
import json
import random
import tomllib
from pathlib import Path

import numpy as np
import pytest

from services.nlu.pictures.embedded import PROJECTION, ProjectedDualEncoder, _Projection
from services.nlu.pictures.evaluation.baseline import histogram
from services.nlu.pictures.evaluation.shop import Part, read_pictures
from services.nlu.pictures.preparation import Preparation
from services.nlu.train.crossmodal import data as crossmodal_data
from services.nlu.train.crossmodal import export
from services.nlu.train.crossmodal.colours import ColourSettings, with_colours
from services.nlu.train.crossmodal.data import gather
from services.nlu.train.crossmodal.network import ColourShares, DualNetwork, NetworkSpec
from services.nlu.train.crossmodal.storage import load_picture_net, save
from services.nlu.train.crossmodal.wordings import matches, wordings
from services.nlu.train.run import RECIPES, run_recipe
from shared.inference import Encoded, InferenceSettings
from shared.inference.onnx import OnnxModel
from shared.pictures.decoding import decode
from tests.services.nlu.hash_encoder import HashEncoder
from tests.services.nlu.train.made_up_shop import make_shop

torch = pytest.importorskip("torch")

DATA = Path(__file__).resolve().parents[5] / "shared" / "data" / "luma"

RECIPE = """
kind = "crossmodal"
wordings = 8
batch = 12
passes = 10

[network]
width = 32
height = 48
channels = [8, 16, 24]
colours = 16
looks = 2
dimension = 16
text_dimension = 26
text_hidden = 16

[colours]
dimension = {colours}

[loop]
epochs = {epochs}
learning_rate = 1e-2
trackers = []
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    make_shop(folder / "luma")
    return folder


@pytest.fixture(autouse=True)
def letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crossmodal_data, "open_text_encoder", lambda _: HashEncoder())


def recipe(folder: Path, epochs: int, colours: int = 0) -> Path:
    path = folder / "tiny.toml"
    path.write_text(RECIPE.format(epochs=epochs, colours=colours))
    return path


def test_products_are_in_one_part_alone(data: Path):
    pictures = read_pictures(data / "luma")
    assert len(pictures) == 72
    parts = {part: {each.product for each in pictures if each.part == part} for part in Part}
    assert sum(map(len, parts.values())) == 12
    assert len(parts[Part.TEST]) == 4
    assert len(parts[Part.DEV]) == 2
    assert pictures[0].listing == "Model0 Tee, blue. Men, Tees"


@pytest.mark.skipif(not DATA.exists(), reason="the luma pictures are not there")
def test_the_split_of_luma_stays_as_it_is():
    pictures = read_pictures(DATA)
    assert len(pictures) == 725
    counts = [
        (len({p.product for p in found}), len(found))
        for part in Part
        if (found := [each for each in pictures if each.part == part and each.product])
    ]
    assert counts == [(121, 462), (20, 78), (46, 181)]
    # Of apparel no product is described without its colour, audience and kind.
    apparel = [each for each in pictures if each.audience]
    assert len(apparel) > 650
    assert all(each.colour and each.kind and each.pattern for each in apparel)


def test_wordings_are_true_of_their_picture_and_of_those_alone_that_they_fit(data: Path):
    pictures = read_pictures(data / "luma")
    for each in pictures:
        made = wordings(each, 20, random.Random(1))  # noqa: S311
        assert made[0].text == each.listing
        assert len({wording.text for wording in made}) == len(made) > 10
        assert all(wording.is_true_of(each) for wording in made)
    red, blue = (next(p for p in pictures if p.colour == c) for c in ("red", "blue"))
    said = [w for w in wordings(red, 30, random.Random(2)) if w.colour and not w.product]  # noqa: S311
    assert said
    assert matches(said, [red, blue]) == [[True] * len(said), [False] * len(said)]


def test_a_run_is_taken_up_exported_and_served_alike(data: Path, tmp_path: Path):
    run_recipe(recipe(tmp_path, 2), data=data, out=tmp_path / "runs")
    history = json.loads((tmp_path / "runs/tiny/history.json").read_text())
    assert len(history["epochs"]) == 2
    # What was reached is taken up, not begun anew.
    run_recipe(recipe(tmp_path, 3), data=data, out=tmp_path / "runs")
    history = json.loads((tmp_path / "runs/tiny/history.json").read_text())
    assert [round(record["epoch"]) for record in history["epochs"]] == [0, 1, 2]
    folder = tmp_path / "models" / "tiny" / "1"
    folder.parent.mkdir(parents=True)
    (tmp_path / "runs/tiny/model").rename(folder)
    assert sum(path.stat().st_size for path in folder.iterdir()) < 100_000
    assert export.main(["--repository", str(tmp_path / "models")]) == 0
    assert export.export(folder) is None  # up to date


@pytest.mark.parametrize("shares", [0, 8])
async def test_the_served_graph_reads_colours_that_it_was_taught(
    data: Path, tmp_path: Path, shares: int
):
    path = recipe(tmp_path, 12, shares)
    await asyncio.to_thread(run_recipe, path, data=data, out=tmp_path / "runs")
    folder = tmp_path / "models" / "tiny" / "1"
    folder.parent.mkdir(parents=True)
    (tmp_path / "runs/tiny/model").rename(folder)
    assert export.export(folder) is not None
    settings = InferenceSettings(
        backend="onnx", model="tiny", model_dir=tmp_path / "models", threads=1
    )
    encoder = ProjectedDualEncoder(OnnxModel(settings), HashEncoder(), folder)
    unseen = [p for p in read_pictures(data / "luma") if p.part == Part.TEST]
    pixels = [decode(each.path.read_bytes(), "picture") for each in unseen]
    seen: Encoded = await encoder.encode_pictures(pixels)
    assert seen.vectors.shape == (24, 16)
    assert np.linalg.norm(seen.vectors, axis=1) == pytest.approx(1, abs=1e-5)
    texts = [f"{colour}. {p.audience}, {p.kind}" for p in unseen for colour in ("red", "blue")]
    said = (await encoder.encode_texts(texts)).vectors.reshape(24, 2, 16)
    fit = np.einsum("pcd,pd->pc", said, seen.vectors)
    known = [at for at, each in enumerate(unseen) if each.colour in ("red", "blue")]
    right = [fit[at].argmax() == (unseen[at].colour == "blue") for at in known]
    assert np.mean(right) > 0.8
    await encoder.close()


def test_shares_of_colours_are_the_baselines_histogram(data: Path):
    net = ColourShares(4)
    pictures = [
        decode(each.path.read_bytes(), "picture") for each in read_pictures(data / "luma")[:5]
    ]
    pictures.append(np.full_like(pictures[0], 255))  # nothing but background
    noise = np.random.default_rng(1).integers(0, 256, pictures[0].shape, dtype=np.uint8)
    pixels = np.stack([*pictures, noise])
    rows = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().flatten(1) / 127.5 - 1
    expected = np.stack([histogram(each) for each in pixels])
    assert net.histogram(rows).numpy() == pytest.approx(expected, abs=1e-5)


def test_colours_alone_tell_pictures_and_texts_apart(data: Path, tmp_path: Path):
    """Of a net that has learnt nothing."""
    spec = NetworkSpec(width=32, height=48, channels=(8, 16), dimension=16, text_dimension=26)
    preparation = Preparation(width=32, height=48)
    made = gather(data / "luma", tmp_path, preparation, text_model="letters", count=8, seed=1)
    model = DualNetwork(spec, {})
    net, layers = with_colours(model, made, ColourSettings(dimension=8, weight=5.0))
    assert net.spec.dimension + net.spec.shares == 16
    save(net, layers, preparation, "letters", tmp_path / "model")
    again = load_picture_net(tmp_path / "model")
    pixels = torch.from_numpy(made.pixels).permute(0, 3, 1, 2).float().flatten(1) / 127.5 - 1
    with torch.no_grad():
        pictures = again(pixels).numpy()
        assert pictures == pytest.approx(net(pixels).numpy(), abs=5e-3)
    texts = _Projection.read(tmp_path / "model" / PROJECTION).of(made.vectors)
    at = {each.text: place for place, each in enumerate(made.texts)}
    dev = made.where(Part.DEV)
    colours = sorted({made.pictures[each].colour for each in dev})
    said = [
        [at[made.pictures[one].listing.replace(made.pictures[one].colour, c)] for c in colours]
        for one in dev
    ]
    right = [
        colours[int((texts[row] @ pictures[one]).argmax())] == made.pictures[one].colour
        for one, row in zip(dev, said, strict=True)
    ]
    assert np.mean(right) > 0.9


def test_the_recipe_of_the_repository_is_one():
    from services.nlu.train.crossmodal.fit import CrossmodalSettings

    text = (RECIPES / "crossmodal.toml").read_text()
    settings = tomllib.loads(text)
    assert settings.pop("kind") == "crossmodal"
    CrossmodalSettings.model_validate(settings)
