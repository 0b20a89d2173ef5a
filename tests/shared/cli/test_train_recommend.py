"""`wherefore train recommend` from a file to a folder."""

import json

import pytest

pytest.importorskip("torch", reason="the extra `recommend` is not installed")
pytest.importorskip("onnxscript", reason="the extra `recommend` is not installed")

from shared.cli.app import main


def run(capsys, *arguments):
    code = main(["train", "recommend", *arguments])
    return code, *capsys.readouterr()


def test_a_file_of_sequences_becomes_a_model(capsys, tmp_path):
    path = tmp_path / "walks.txt"
    path.write_text(
        "".join(
            f"u{start} {' '.join(f'i{(start + step) % 15}' for step in range(6))}\n"
            for start in range(15)
        )
    )
    out = tmp_path / "models"
    arguments = ["--sequences", str(path), "--out", str(out), "--minutes", "0.05"]
    code, printed, told = run(capsys, *arguments, "--threads", "1", "--json")
    assert code == 0, told
    figures = json.loads(printed)
    assert (figures["users"], figures["items"]) == (15, 15)
    assert figures["parity"]["histories"] == 15
    assert figures["parity"]["largest_difference"] < 1e-3
    assert "epoch 1 of at most" in told
    for name in ("config.pbtxt", "figures.json", "1/model.onnx", "1/items.json", "1/model.py"):
        assert (out / "next_item" / name).is_file()


def test_a_file_of_events_becomes_a_model(capsys, tmp_path):
    path = tmp_path / "events.csv"
    lines = [
        f"view,u{start},i{(start + step) % 15},1970-01-0{step + 1}T00:00:00Z"
        for step in reversed(range(6))
        for start in range(15)
    ]
    path.write_text("\n".join(["type,user_id,product_id,event_time", *lines, "share,u1,i1,"]))
    arguments = ["--events", str(path), "--out", str(tmp_path / "models"), "--minutes", "0.05"]
    code, printed, told = run(capsys, *arguments, "--threads", "1", "--json")
    assert code == 0, told
    figures = json.loads(printed)
    assert (figures["users"], figures["items"]) == (15, 15)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("type,user_id,product_id\nlook,u1,i1\n", "no event type"),
        ("type,user_id,product_id\nsearch,u1,\n", "no event of a product"),
    ],
)
def test_events_that_teach_nothing_are_refused(capsys, tmp_path, text, told):
    path = tmp_path / "events.csv"
    path.write_text(text)
    code, printed, said = run(capsys, "--events", str(path), "--out", str(tmp_path / "models"))
    assert (code, printed) == (2, "")
    assert told in said


def test_one_source_is_needed(capsys, tmp_path):
    code, _, said = run(capsys, "--out", str(tmp_path / "models"))
    assert code == 2
    assert "--sequences or --events" in said


@pytest.mark.parametrize(
    ("text", "told"),
    [("u1\n", "user u1 has no item"), ("u1 a b\n", "no sequence"), ("", "no sequences")],
)
def test_files_that_teach_nothing_are_refused(capsys, tmp_path, text, told):
    path = tmp_path / "bad.txt"
    path.write_text(text)
    code, printed, said = run(capsys, "--sequences", str(path), "--out", str(tmp_path / "models"))
    assert (code, printed) == (2, "")
    assert told in said
    assert "Traceback" not in said


def test_out_must_be_a_folder(capsys, tmp_path):
    path = tmp_path / "walks.txt"
    path.write_text("u1 a b c\n")
    code, _, said = run(capsys, "--sequences", str(path), "--out", str(path))
    assert code == 2
    assert "is no folder" in said
