"""`wherefore catalogue`: files in, findings and a mended catalogue out."""

import gzip
import json
from pathlib import Path

import pytest
from google.protobuf.json_format import MessageToJson

from shared.cli.app import main
from wherefore.common.v1.product_pb2 import Product


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.jsonl"
    titles = {"p1": "Perchwood white kettle", "p2": "PERCHWOOD WHITE KETTLE", "p3": "Blue mug"}
    with path.open("w", encoding="utf-8") as file:
        for product_id, title in titles.items():
            product = Product(id=product_id, titles={"en": title}, brand="Perchwood")
            file.write(MessageToJson(product, indent=None) + "\n")
    return path


def test_check_queue_and_fix(shop: Path, capsys: pytest.CaptureFixture[str]):
    folder = shop.parent
    arguments = ["--out", str(folder / "f.jsonl"), "--queue", str(folder / "q.csv")]
    code = main(["catalogue", "check", str(shop), *arguments, "--page", str(folder / "r.html")])
    assert code == 0
    told = capsys.readouterr()
    assert "duplicate" in told.out
    assert "2 findings with a fix" in told.err
    assert "PERCHWOOD WHITE KETTLE" in (folder / "r.html").read_text()
    queue = (folder / "q.csv").read_text("utf-8-sig").splitlines()
    decided = [queue[0], *("yes" + line if ",duplicate," in line else line for line in queue[1:])]
    (folder / "q.csv").write_text("\n".join(decided), "utf-8-sig")
    new = folder / "new.jsonl.gz"
    arguments = ["--findings", str(folder / "f.jsonl"), "--queue", str(folder / "q.csv")]
    assert main(["catalogue", "fix", str(shop), *arguments, "--out", str(new)]) == 0
    with gzip.open(new, "rt", encoding="utf-8") as file:
        assert len([json.loads(line)["id"] for line in file]) == 2


def test_figures_come_as_json(shop: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["catalogue", "check", str(shop), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["products"] == 3
    counts = {one["kind"]: one["count"] for one in told["findings"]}
    assert counts["duplicate"] == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "nothing is accepted"),
        (["--accept-above", "7"], "must be 0 to 1"),
        (["--accept-above", "0.9"], "no-findings.jsonl"),
    ],
)
def test_what_cannot_be_fixed_is_told(
    shop: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
):
    out = shop.parent / "new.jsonl"
    findings = str(shop.parent / "no-findings.jsonl")
    command = ["catalogue", "fix", str(shop), "--findings", findings, "--out", str(out)]
    assert main([*command, *arguments]) == 2
    assert told in capsys.readouterr().err
    assert not out.exists()
