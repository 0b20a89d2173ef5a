import json

from services.nlu.labelling.export import read_labels
from services.nlu.train.entity_votes import agreed, unlabelled_queries, write_labels
from services.nlu.train.examples import Span

PHONE, BRAND = Span(2, 4, "PRODUCT_TYPE"), Span(0, 2, "BRAND")


def test_a_text_is_labelled_as_most_taggers_say_all_of_it():
    whole, part = (BRAND, PHONE), (PHONE,)
    assert agreed([whole, whole, part, whole], 0.75) == whole
    assert agreed([whole, whole, part, part], 0.75) is None
    assert agreed([(), (), (), part], 0.75) == ()


def test_labels_come_back_as_examples(tmp_path):
    path = tmp_path / "votes" / "labels.jsonl"
    labels = {"小米手机": (BRAND, PHONE), "好看": (), "谁知道": None}
    assert write_labels(path, "entities", labels) == {"texts": 3, "agreed": 2, "spans": 2}
    head, examples = read_labels(path)
    assert head == "entities"
    assert {item.text: item.spans for item in examples} == {
        "小米手机": (BRAND, PHONE),
        "好看": (),
    }
    assert json.loads(path.read_text().splitlines()[1])["spans"] == []


def test_queries_are_new_ones_and_always_the_same(tmp_path):
    (tmp_path / "queries").mkdir()
    lines = "".join(f"{at}\t查询{at % 40}\n" for at in range(100))
    (tmp_path / "queries" / "zh.tsv").write_text(lines)
    drawn = unlabelled_queries(tmp_path, {"查询1"}, 10)
    assert drawn == unlabelled_queries(tmp_path, {"查询1"}, 10)
    assert len(set(drawn)) == 10
    assert "查询1" not in unlabelled_queries(tmp_path, {"查询1"}, 100)
