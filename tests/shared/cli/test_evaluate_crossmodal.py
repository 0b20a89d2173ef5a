"""`wherefore eval crossmodal` over a shop that is drawn here, with an encoder of colours."""

import json
from pathlib import Path

import pytest

from services.nlu.pictures import opening
from shared.cli import failures
from shared.cli.app import main
from shared.errors import UnavailableError
from tests.services.nlu.pictures.files import ColourEncoder
from tests.services.nlu.train.made_up_shop import make_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_shop(tmp_path_factory.mktemp("luma"))


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> ColourEncoder:
    found = ColourEncoder()
    monkeypatch.setattr(opening, "open_dual_encoder", lambda *_: found)
    return found


def test_json_holds_all_figures(shop, encoder, capsys):
    assert main(["eval", "crossmodal", "--data", str(shop), "--json"]) == failures.OK
    document = json.loads(capsys.readouterr().out)
    for task in ("text_to_picture", "picture_to_text", "like_this_but"):
        for system in document[task].values():
            recall = [system["recall"][cut]["value"] for cut in ("1", "5", "10")]
            assert recall == sorted(recall)
            assert all(
                one["low"] <= one["value"] <= one["high"] for one in system["recall"].values()
            )
    assert set(document["like_this_but"]) >= {"picture alone", "text alone", "both", "edit"}
    assert set(document["colour_words"]) == set(document["pattern_words"])
    assert set(document["chosen"]) == {"category", "other views", "both", "edit", "edit and text"}
    assert encoder.closed == 1


def test_a_table_is_shown(shop, encoder, capsys):
    assert main(["eval", "crossmodal", "--data", str(shop)]) == failures.OK
    shown = capsys.readouterr().out
    assert "dual encoder" in shown
    assert "colour histogram and category" in shown


def test_what_is_not_there_is_told(shop, tmp_path, encoder, monkeypatch, capsys):
    assert main(["eval", "crossmodal", "--data", str(tmp_path)]) == failures.USAGE
    assert "no pictures in" in capsys.readouterr().err

    def missing(*_: object) -> None:
        raise UnavailableError("no dual encoder 'x'; `make models` makes it")

    monkeypatch.setattr(opening, "open_dual_encoder", missing)
    assert main(["eval", "crossmodal", "--data", str(shop), "--model", "x"]) == failures.USAGE
    assert "make models" in capsys.readouterr().err
