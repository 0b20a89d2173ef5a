"""`wherefore eval uplift` over a log whose truth is known."""

import json

import pytest

from services.ranking.clicks.page_log import LoggedPage
from services.ranking.features import FEATURES
from shared.cli import failures
from shared.cli.app import main
from tests.services.ranking.uplift.shop import Shop

pytest.importorskip("doubleml", reason="the extra 'causal' is not installed")


def line(page: LoggedPage) -> str:
    results = [
        {
            "id": str(number),
            "place": place + 1,
            "propensity": 1.0,
            "clicked": bool(page.clicked[place]),
            "purchased": bool(page.purchased[place]),
            "features": dict(zip(FEATURES, page.features[number].tolist(), strict=True)),
            "facts": dict(page.facts[place]),
        }
        for place, number in enumerate(page.shown.tolist())
    ]
    return json.dumps({"query": page.query, "results": results}) + "\n"


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop(seed=6, pages=500, queries=150)


@pytest.fixture(scope="module")
def log(shop, tmp_path_factory):
    path = tmp_path_factory.mktemp("log") / "pages.jsonl"
    path.write_text("".join(map(line, shop.log())))
    return path


def test_an_effect_is_told_and_drawn(capsys, shop, log, tmp_path) -> None:
    picture = tmp_path / "effect.svg"
    command = ["eval", "uplift", "--logs", str(log), "--feature", "discounted"]
    assert main([*command, "--plot", str(picture), "--json"]) == failures.OK
    found = json.loads(capsys.readouterr().out)
    value, low, high = found["effect"]
    assert low < shop.truth < high
    assert low < value < high
    assert found["naive"][0] > value
    assert picture.read_text().count("<svg") == 1
    assert main(command) == failures.OK
    said = capsys.readouterr().out
    assert "discounted on clicks" in said
    assert f"{value:+.4f}" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--feature", "rating"], "say which are meant"),
        (["--feature", "colour"], "the log has no colour"),
        (["--feature", "rating>>1"], "is no property"),
        (["--feature", "rating>=2"], "0 results with the property"),
        (["--feature", "discounted", "--plot", "nowhere/at/all.svg"], "no folder"),
    ],
)
def test_what_the_log_does_not_allow_is_refused_plainly(capsys, log, arguments, message) -> None:
    assert main(["eval", "uplift", "--logs", str(log), *arguments]) == failures.USAGE
    error = " ".join(capsys.readouterr().err.split())
    assert message in error
    assert "Traceback" not in error


def test_an_empty_log_is_refused(capsys, tmp_path) -> None:
    path = tmp_path / "pages.jsonl"
    path.write_text("\n")
    assert main(["eval", "uplift", "--logs", str(path), "--feature", "stock"]) == failures.USAGE
    assert "the log holds no page" in capsys.readouterr().err
