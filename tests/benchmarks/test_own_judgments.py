from benchmarks.own_judgments import merged, read_own, section
from shared.evaluation.report import Ranking


def test_comments_are_skipped(tmp_path):
    file = tmp_path / "own.csv"
    file.write_text('# by us\nquery,product_id,rating\nmouse,1,3\n"a ""b""",2,0\n', "utf-8")
    assert read_own(file) == {"mouse": {"1": 3}, 'a "b"': {"2": 0}}


def test_given_ratings_stand():
    given = {"mouse": {"1": 0, "2": 2}}
    assert merged(given, {"mouse": {"1": 3, "3": 1}, "cat": {"9": 1}}) == {
        "mouse": {"1": 0, "2": 2, "3": 1}
    }


def test_what_nobody_judged_counts_once_we_judged_it():
    given = {"mouse": {"1": 3}}
    rankings = {"path": {"mouse": Ranking(["2", "1"], ["1"])}}
    table = section(rankings, given, {"mouse": {"2": 3}}, {"path": "path"})
    assert "| path | 0.631 | 0.500 | 1.000 | 1.000 |" in table
    assert "1 x 3, 0 x 2" in table


def test_our_judgments_are_of_queries_that_were_given_and_of_300_results():
    ratings = [rating for by_id in read_own().values() for rating in by_id.values()]
    assert len(ratings) == 300
    assert set(ratings) == {0, 1, 2, 3}
