import json

import numpy as np
import pytest

from services.recommend.sequences import SequenceFileError, read_attributes, read_sequences


@pytest.fixture
def written(tmp_path):
    def write(text, name="s.txt"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def names(data):
    return [[data.items[item] for item in sequence] for sequence in data.sequences]


def test_sequences_keep_users_items_and_order(written):
    data = read_sequences(written("anna 5 3 9\n\nben\tmug 5\n"))
    assert data.users == ("anna", "ben")
    assert names(data) == [["5", "3", "9"], ["mug", "5"]]
    assert sorted(data.items) == ["3", "5", "9", "mug"]


def test_items_are_not_numbered_by_first_sight(written):
    lines = "".join(f"u{at} {' '.join(str(at * 5 + k) for k in range(5))}\n" for at in range(100))
    data = read_sequences(written(lines))
    numbers = [data.items.index(str(at)) for at in range(500)]
    assert abs(np.corrcoef(numbers, range(500))[0, 1]) < 0.2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2 3\n7\n", "s.txt:2: user 7 has no item"),
        ("1 2 3\n2 4\n1 5\n", "s.txt:3: user 1 has a line above"),
        ("\n\n", "s.txt: no sequences"),
        (b"1 2 3\n2 \xff\xfe 4\n", "s.txt:2: no UTF-8"),
    ],
)
def test_a_bad_file_is_named_by_line(written, text, message):
    with pytest.raises(SequenceFileError, match=message):
        read_sequences(written(text))


def test_an_absent_file_is_an_error(tmp_path):
    with pytest.raises(SequenceFileError, match="No such file"):
        read_sequences(tmp_path / "none.txt")


def test_attributes_are_those_of_the_items(written):
    path = written(json.dumps({"a": [1, 2, 2], "b": ["red"], "z": [9]}), "a.json")
    known = read_attributes(path, ("b", "c", "a"))
    pairs = {
        (int(item), known.names[attribute])
        for item, attribute in zip(known.items, known.attributes, strict=True)
    }
    assert pairs == {(0, "red"), (2, "1"), (2, "2")}
    assert list(known.items) == sorted(known.items)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": [1],\n "b": [2\n', "a.json:3: no JSON"),
        ("[1, 2]", "no JSON object"),
        ('{"a": 3}', "item a: no list"),
        ('{"a": [[1]]}', "item a: no list"),
        ('{"other": [1]}', "describes none"),
    ],
)
def test_bad_attributes_are_named(written, text, message):
    with pytest.raises(SequenceFileError, match=message):
        read_attributes(written(text, "a.json"), ("a",))
