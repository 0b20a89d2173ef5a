import gzip

import pytest

from shared.evaluation.judgments import JudgmentsError, read_judgments


def write(tmp_path, text, name="judgments.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_reads_ratings_by_query_in_order(tmp_path):
    path = write(tmp_path, 'query,docid,rating\nred shoe,1,3\n"a, b",2,0\nred shoe,3,1.0\n')
    assert read_judgments(path) == {"red shoe": {"1": 3, "3": 1}, "a, b": {"2": 0}}
    assert list(read_judgments(path)) == ["red shoe", "a, b"]


def test_columns_may_come_in_any_order_with_others_between(tmp_path):
    path = write(tmp_path, "rating,note,query,docid\n2,x,水壶,p1\n")
    assert read_judgments(path) == {"水壶": {"p1": 2}}


def test_byte_order_mark_and_gzip_are_understood(tmp_path):
    path = tmp_path / "judgments.csv.gz"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbfquery,docid,rating\nq,1,1\n"))
    assert read_judgments(path) == {"q": {"1": 1}}


def test_the_same_judgement_twice_is_one(tmp_path):
    assert read_judgments(write(tmp_path, "query,docid,rating\nq,1,1\nq,1,1\n")) == {"q": {"1": 1}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("query,docid\nq,1\n", "no column rating"),
        ("", "no column query, docid, rating"),
        ("query,docid,rating\n", "no judgements"),
        ("query,docid,rating\nq,1,good\n", ":2: rating 'good' is not a whole number"),
        ("query,docid,rating\nq,1,\n", ":2: rating '' is not a whole number"),
        ("query,docid,rating\nq,1,-1\n", ":2: rating -1 is not between"),
        ("query,docid,rating\nq,1,99\n", ":2: rating 99 is not between"),
        ("query,docid,rating\nq,1,1\n ,1,1\n", ":3: query and docid must not be empty"),
        ("query,docid,rating\nq,1,1\nq,1,2\n", ":3: '1' was rated 1 before, now 2"),
    ],
)
def test_bad_files_are_refused_with_line_and_reason(tmp_path, text, message):
    with pytest.raises(JudgmentsError) as refused:
        read_judgments(write(tmp_path, text))
    assert message in str(refused.value)


def test_missing_and_undecodable_files_are_named(tmp_path):
    with pytest.raises(JudgmentsError, match="No such file"):
        read_judgments(tmp_path / "absent.csv")
    latin = tmp_path / "latin.csv"
    latin.write_bytes(b"query,docid,rating\ncaf\xe9,1,1\n")
    with pytest.raises(JudgmentsError, match="not UTF-8 at byte 22"):
        read_judgments(latin)
