"""Judged and weak pairs of Chinese texts."""

import gzip
import json
from pathlib import Path

import pytest

from services.nlu.train.chinese_matching import (
    MATCH,
    NO_MATCH,
    copy_pairs,
    judged_pairs,
    labelled_pairs,
    matching_zh,
    query_pairs,
    review_pairs,
    title_pairs,
)
from services.nlu.train.examples import Example, Span, TaskKind
from services.nlu.train.lexical import LexicalIndex, character_bigrams


def named(text: str, **words: str) -> Example:
    spans = [
        Span(text.index(word), text.index(word) + len(word), label) for label, word in words.items()
    ]
    return Example(text, spans=tuple(sorted(spans, key=lambda span: span.start)))


def test_judged_pairs_keep_their_label(tmp_path: Path) -> None:
    path = tmp_path / "pairs.json"
    rows = [
        {"sentence1": "几点开门", "sentence2": "什么时候开门", "label": "1"},
        {"sentence1": "几点开门", "sentence2": "几点关门", "label": 0},
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    pairs = judged_pairs(path)
    assert [pair.label for pair in pairs] == [MATCH, NO_MATCH]
    assert labelled_pairs(pairs) == [
        Example("几点开门", other="什么时候开门"),
        Example("几点开门", other="几点开门", negatives=("几点关门",)),
    ]
    path.write_text('{"sentence1": "几点开门", "label": "1"}', encoding="utf-8")
    with pytest.raises(ValueError, match="row 1"):
        judged_pairs(path)


def test_a_title_belongs_to_its_entities_and_not_to_a_look_alike() -> None:
    titles = [
        named("新款海棠牌铁锅家用", BRAND="海棠", PRODUCT_TYPE="铁锅"),
        named("铁棠牌锅刷", PRODUCT_TYPE="锅刷"),
        named("海棠花茶一盒", PRODUCT_TYPE="花茶"),
        named("铁锅", PRODUCT_TYPE="铁锅"),
        Example("没有实体的标题"),
    ]
    pairs = {pair.text: pair for pair in title_pairs(titles)}
    # 铁锅, 花茶 and 锅刷 alone say too little to be queries.
    assert set(pairs) == {"海棠铁锅"}
    assert pairs["海棠铁锅"].other == "新款海棠牌铁锅家用"
    assert pairs["海棠铁锅"].negatives == ()
    titles.append(named("海底铁锅盖", PRODUCT_TYPE="锅盖"))
    titles.append(named("牡丹铁锈棠锅架", PRODUCT_TYPE="锅架"))
    by_text = {pair.text: pair for pair in title_pairs(titles)}
    assert all("铁锅" not in negative for negative in by_text["海棠铁锅"].negatives)


def test_queries_pair_when_the_one_says_more_of_the_same_product() -> None:
    pairs = query_pairs(["加厚保温杯", "保温杯", "大号加厚保温杯", "大号保温杯盖", "羊毛围巾"])
    assert pairs == [Example("加厚保温杯", other="大号加厚保温杯")]


def test_the_same_query_in_other_forms_is_no_pair() -> None:
    assert query_pairs(["加厚 保温杯", "加厚　保温杯", "ＡＢ加厚杯", "ab加厚杯"]) == []


def test_reviews_are_cut_at_the_mark_nearest_to_the_middle() -> None:
    text = "锅很重,炒菜均匀不粘底,用了半个月了。洗起来也方便,就是把手有一点松动要自己拧紧。"
    first, second = text[:19], text[19:]
    assert review_pairs(iter([text])) == [Example(first, other=second)]
    assert review_pairs(iter(["不错。", "很" * 200, "没有标点的评价" * 6])) == []


def test_copy_is_paired_with_its_attributes_the_product_last() -> None:
    rows = [
        {"content": "类型#裤*版型#宽松*材质#棉", "summary": "<UNK>家的这条裤子很宽松。"},
        {"content": "类型#裤", "summary": "只有类型。"},
    ]
    assert copy_pairs(iter(rows)) == [Example("宽松棉裤", other="家的这条裤子很宽松。")]


def test_bm25_prefers_rare_terms_and_short_texts() -> None:
    index = LexicalIndex(["红色铁锅", "红色水壶", "红色水壶配件大全", "围巾"], character_bigrams)
    assert index.top("水壶", 5) == [1, 2]
    assert index.top("红色铁锅", 1) == [0]
    assert index.top("手机", 5) == []
    assert LexicalIndex([], character_bigrams).top("手机", 5) == []


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8") as out:
        out.write(text)


def test_weak_pairs_join_the_labelled_ones_and_dev_stays_apart(tmp_path: Path) -> None:
    judged = '{"sentence1": "%s", "sentence2": "%s", "label": "1"}'
    write(tmp_path / "fewclue_bustm" / "train_few_all.json", judged % ("几点开门", "何时开门"))
    write(tmp_path / "fewclue_bustm" / "dev_few_all.json", judged % ("怎么退货", "如何退货"))
    write(tmp_path / "queries" / "zh.tsv", "1\t加厚保温杯\n2\t大号加厚保温杯\n")
    tags = ["O", "B-HPPX", "I-HPPX", "B-HCCX", "I-HCCX"]
    title = {"tokens": list("新海棠铁锅"), "tags": tags}
    write(tmp_path / "ecommerce_ner_zh" / "train.jsonl.gz", json.dumps(title))
    review = {"review": "锅很重,炒菜均匀不粘底,用了半个月了。洗起来也方便,就是把手有一点松动。"}
    write(tmp_path / "reviews_zh" / "train.jsonl.gz", json.dumps(review))
    copy = {"content": "类型#裤*版型#宽松", "summary": "这条裤子很宽松。"}
    write(tmp_path / "attributes_to_copy_zh" / "train.jsonl.gz", json.dumps(copy))
    data = matching_zh(tmp_path)
    assert (data.head, data.kind, data.labels) == ("sentence_embedding", TaskKind.PAIRS, ())
    assert data.dev == [Example("怎么退货", other="如何退货", label=MATCH)]
    assert [(pair.text, pair.weight) for pair in data.train] == [
        ("几点开门", 1.0),
        ("海棠铁锅", 0.5),
        ("加厚保温杯", 0.5),
        (review["review"][:19], 0.5),
        ("宽松裤", 0.5),
    ]
