import json
import signal
import subprocess
import sys
import threading
import time

import pytest

from shared.cli import product_import
from shared.cli.checkpoint import Checkpoint, FileIdentity
from shared.cli.config import CliSettings
from shared.cli.product_import import BATCH_ROWS
from shared.errors import InvalidArgumentError


def write_catalogue(path, ids, bad=()):
    """JSON lines of products; the lines in `bad` are no JSON."""
    lines = [
        json.dumps(
            {
                "id": product_id,
                "titles": {"en": f"Kettle {product_id}"},
                "price": {"currency_code": "EUR", "amount": 5.0},
            }
        )
        for product_id in ids
    ]
    for line in bad:
        lines.insert(line - 1, "{not json")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def ids(count):
    return [f"k-{number:04}" for number in range(count)]


@pytest.fixture
def empty(running):
    running.suite.products = {}
    return running


def test_everything_goes_in_and_the_summary_says_so(empty, tmp_path):
    file = write_catalogue(tmp_path / "shop.jsonl", ids(300))
    done = empty.run("import", str(file), "--json")
    assert done.code == 0
    assert done.json["imported"] == 300
    assert done.json["failed"] == 0
    assert list(empty.suite.products) == ids(300)
    assert all(len(request.products) <= BATCH_ROWS for request in empty.suite.requests)


def test_sending_it_again_changes_nothing(empty, tmp_path):
    file = write_catalogue(tmp_path / "shop.jsonl", ids(10))
    empty.run("import", str(file))
    assert "0 imported, 10 unchanged, 0 refused" in empty.run("import", str(file)).out


def test_unreadable_rows_are_reported_with_their_line_and_the_rest_goes_in(empty, tmp_path):
    file = write_catalogue(tmp_path / "shop.jsonl", ids(5), bad=(3,))
    errors = tmp_path / "refused.csv"
    done = empty.run("import", str(file), "--errors", str(errors), "--json")
    assert done.code == 0
    assert done.json["imported"] == 5
    assert done.json["failed"] == 1
    assert done.json["errors"][0]["row"] == 3
    assert "row 3" in done.err
    assert errors.read_text().splitlines()[0] == "row,id,field,reason"
    assert errors.read_text().splitlines()[1].startswith("3,")


def test_only_the_first_refused_rows_are_shown(empty, tmp_path):
    file = write_catalogue(tmp_path / "shop.jsonl", ids(1), bad=range(1, 31))
    done = empty.run("import", str(file))
    assert done.code == 0
    assert sum(line.startswith("row ") for line in done.err.splitlines()) == 20
    assert "more rows were refused; --errors keeps all" in done.err


def test_nothing_but_bad_rows_fails(empty, tmp_path):
    file = write_catalogue(tmp_path / "shop.jsonl", [], bad=(1, 2))
    assert empty.run("import", str(file)).code == 1


def write_pictured(path, uris):
    rows = [
        {"id": f"p-{at}", "title": "Cup", "images": [{"uri": uri}]} for at, uri in enumerate(uris)
    ]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return path


def sent_pictures(running):
    return {each.uri: each.data for request in running.suite.requests for each in request.pictures}


def test_pictures_beside_the_file_are_sent_along(empty, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"one")
    (tmp_path / "secret.png").write_bytes(b"secret")
    inline = "data:image/png;base64,dHdv"
    uris = ["a.png", "/a.png", "../secret.png", "nothing.png", inline]
    file = write_pictured(tmp_path / "shop.jsonl", uris)
    done = empty.run("import", str(file), "--pictures", str(folder), "--json")
    assert done.code == 0
    assert done.json["imported"] == 5
    pictures = sent_pictures(empty)
    assert sorted(pictures.values()) == [b"one", b"one", b"two"]
    assert {"a.png", "/a.png"} < set(pictures)
    # Without the option only what the file itself holds is sent.
    empty.suite.requests.clear()
    empty.run("import", str(file))
    assert [*sent_pictures(empty).values()] == [b"two"]


def test_pictures_share_messages_within_their_limit(empty, tmp_path, monkeypatch):
    monkeypatch.setattr(product_import, "PICTURE_BYTES", 12_000)
    folder = tmp_path / "photos"
    folder.mkdir()
    for at in range(6):
        (folder / f"{at}.png").write_bytes(bytes(5_000))
    (folder / "large.png").write_bytes(bytes(10 * 2**20 + 1))
    uris = [f"{at}.png" for at in range(6)] + ["0.png"] * 3 + ["large.png"]
    file = write_pictured(tmp_path / "shop.jsonl", uris)
    done = empty.run("import", str(file), "--pictures", str(folder), "--json")
    assert done.json["imported"] == 10
    sizes = [sum(len(p.data) for p in r.pictures) for r in empty.suite.requests]
    assert max(sizes) == 10_000
    # Each product's picture is in the message that the product is in.
    for request in empty.suite.requests:
        held = [picture.uri for picture in request.pictures]
        assert len(held) == len(set(held))
        named = {image.uri for each in request.products for image in each.images}
        assert set(held) == named - {"large.png"}


def test_a_folder_of_pictures_that_is_none_is_a_wrong_command(empty, tmp_path):
    file = write_catalogue(tmp_path / "shop.jsonl", ids(1))
    done = empty.run("import", str(file), "--pictures", str(tmp_path / "absent"))
    assert done.code == 2
    assert "is no folder" in done.err


def test_a_missing_file_is_a_wrong_command(empty, tmp_path):
    done = empty.run("import", str(tmp_path / "absent.jsonl"))
    assert done.code == 2
    assert "No such file" in done.err


def test_a_broken_stream_goes_on_after_the_last_acknowledged_row(empty, tmp_path):
    file = write_catalogue(tmp_path / "shop.jsonl", ids(400), bad=(2,))
    empty.suite.break_import_after = [200, 130]
    done = empty.run("import", str(file), "--json")
    assert done.code == 0
    assert done.json["broken_streams"] == 2
    assert list(empty.suite.products) == ids(400)
    # Acknowledgements come per message: what was settled in a broken message is sent again.
    assert done.json["imported"] + done.json["unchanged"] == 400
    assert done.json["failed"] == 1
    assert done.err.count("the stream broke") == 2
    starts = [request.first_row for request in empty.suite.requests]
    assert starts[0] == 1
    assert BATCH_ROWS + 1 in starts[1:]


def test_a_suite_that_stays_away_ends_the_import_and_resume_goes_on(empty, tmp_path):
    file = write_catalogue(tmp_path / "shop.jsonl", ids(300))
    empty.suite.break_import_after = [BATCH_ROWS, 0, 0, 0]
    done = empty.run("import", str(file))
    assert done.code == 3
    assert "wherefore up" in done.err
    empty.suite.requests.clear()
    done = empty.run("import", str(file), "--resume", "--json")
    assert done.code == 0
    assert f"going on after {BATCH_ROWS} products" in done.err
    assert empty.suite.requests[0].first_row == BATCH_ROWS + 1
    assert list(empty.suite.products) == ids(300)
    # The checkpoint is gone once the file is in.
    assert "going on" not in empty.run("import", str(file), "--resume").err


def test_without_resume_the_checkpoint_is_only_mentioned(empty, tmp_path):
    file = write_catalogue(tmp_path / "shop.jsonl", ids(200))
    empty.suite.break_import_after = [BATCH_ROWS, 0, 0, 0]
    empty.run("import", str(file))
    empty.suite.requests.clear()
    done = empty.run("import", str(file))
    assert "--resume goes on there" in done.err
    assert empty.suite.requests[0].first_row == 1


def test_a_server_that_ends_early_is_no_success(empty, tmp_path):
    file = write_catalogue(tmp_path / "shop.jsonl", ids(300))
    empty.suite.stop_import_early = True
    done = empty.run("import", str(file))
    assert done.code == 1
    assert "the server ended the stream after" in done.err


def test_a_refusal_is_not_retried(empty, tmp_path):
    empty.suite.refuse_import = InvalidArgumentError.of("rows", "are out of order")
    file = write_catalogue(tmp_path / "shop.jsonl", ids(3))
    done = empty.run("import", str(file))
    assert done.code == 2
    assert "rows: are out of order" in done.err
    assert empty.suite.import_calls == 1


def test_interrupting_is_clean(empty, tmp_path):
    file = write_catalogue(tmp_path / "shop.jsonl", ids(3))
    empty.suite.release_import = threading.Event()
    # Whatever runs in a shell's background ignores interrupts, and what it starts does too.
    command = ["env", "--default-signal=INT", sys.executable, "-m", "shared.cli", "import"]
    command += [str(file), "--target", empty.target]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        while not empty.suite.import_calls:
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
        empty.suite.release_import.set()
    assert process.returncode == 130
    assert out == ""
    assert err.endswith("--resume goes on there\ninterrupted\n")
    assert "Traceback" not in err


def test_the_checkpoint_belongs_to_one_state_of_the_file(tmp_path):
    file = tmp_path / "shop.jsonl"
    file.write_text("one")
    first = Checkpoint(tmp_path / "imports", FileIdentity.of(file, "jsonl", "host:1"))
    first.write(7)
    assert first.read() == 7
    assert Checkpoint(first.folder, FileIdentity.of(file, "jsonl", "host:2")).read() == 0
    file.write_text("another")
    assert Checkpoint(first.folder, FileIdentity.of(file, "jsonl", "host:1")).read() == 0
    first.clear()
    assert first.read() == 0


@pytest.mark.parametrize("content", ["", "{", "[]", '{"acknowledged_row": "x"}', "{}"])
def test_a_damaged_checkpoint_counts_as_none(tmp_path, content):
    file = tmp_path / "shop.jsonl"
    file.write_text("one")
    checkpoint = Checkpoint(tmp_path, FileIdentity.of(file, "", ""))
    checkpoint.path.write_text(content)
    assert checkpoint.read() == 0


def test_settings_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("WHEREFORE_TARGET", "shop:1")
    settings = CliSettings()
    assert settings.target == "shop:1"
    assert settings.home == tmp_path / "home"
