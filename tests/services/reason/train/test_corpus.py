"""The corpus: its form, its splits, and what is taken out of free text."""

import gzip
import json
from pathlib import Path

import pytest

pytest.importorskip("tqdm", reason="the extra `train` is not installed")

from services.reason.train import corpus, text_pairs
from services.reason.train.corpus import CorpusSettings
from services.reason.train.scenes import split_of
from services.reason.train.vocabulary import Vocabulary, texts_of, train_tokenizer


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data, out = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("corpus")
    folder = data / "attributes_to_copy_zh"
    folder.mkdir()
    rows = [
        {
            "content": f"类型#裙*材质#蚕丝*图案#条纹{number}",
            "summary": "采用蚕丝的面料，穿着舒适。最好的条纹裙。红色3号。",
        }
        for number in range(40)
    ]
    with gzip.open(folder / "train.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    settings = CorpusSettings(scenes=60, catalogues={"bundled": 1.0, "absent": 1.0})
    counts = corpus.build(settings, data, out)
    assert counts["reasons.train"] == 120 + 18  # of summaries, three for ten scenes
    assert counts["copy.train"] > 0
    assert counts["reviews.train"] == 0
    return out


def test_products_stand_in_one_split_each(written: Path) -> None:
    seen = {
        split: {row["item_id"] for row in corpus.read(written, "reasons", split)}
        for split in corpus.SPLITS
    }
    assert all(seen.values())
    assert not seen["train"] & seen["dev"]
    assert not seen["train"] & seen["test"]
    assert not seen["dev"] & seen["test"]


def test_a_split_depends_on_the_product_alone() -> None:
    splits = [split_of(str(number), "shop") for number in range(2_000)]
    assert splits == [split_of(str(number), "shop") for number in range(2_000)]
    assert splits.count("train") / len(splits) == pytest.approx(0.9, abs=0.03)


def test_clauses_point_at_their_evidence_and_values_stay_outside(written: Path) -> None:
    for row in corpus.read(written, "reasons", "train"):
        places = sorted(int(clause[1 : clause.index(">")]) for clause in row["reason_sequence"])
        assert places == list(range(1, len(row["evidence"]) + 1))
        text = "".join(row["reason_sequence"])
        for one in row["evidence"]:
            values = [value for value in one["fills"].values() if len(value) > 4]
            assert not any(value in text for value in values)


def test_copy_keeps_plain_sentences_with_a_slot(written: Path) -> None:
    copies = {row["copy"] for row in corpus.read(written, "copy", "train")}
    # The superlative and the number fall away, and so does what names no attribute.
    assert copies == {"采用<a2>的面料，穿着舒适。"}


def test_reviews_keep_plain_sentences(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    review = "It keeps my tea warm all day long. Bought 2 of them. The best ever!"
    path.write_text(f'prod_id,review\np1,"{review}"\n', encoding="utf-8")
    assert list(text_pairs.reviews_en(path)) == [("p1", "It keeps my tea warm all day long.")]


def test_nothing_to_learn_from_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none of the catalogues"):
        corpus.build(CorpusSettings(catalogues={"absent": 1.0}), tmp_path, tmp_path)


def test_rows_go_to_tokens_and_back(written: Path) -> None:
    rows = list(corpus.read(written, "reasons", "train"))
    vocabulary = Vocabulary(train_tokenizer(texts_of(rows), 1_200))
    texts = vocabulary.table().texts
    for row in rows[:40]:
        encoded = vocabulary.encode(row)
        assert texts[encoded.ids[encoded.prefix - 1]] == "<say>"
        assert encoded.ids[-1] == vocabulary.end
        said = "".join(texts[index] for index in encoded.ids[encoded.prefix : -1])
        assert said == "".join(texts_of([row]))
