import pytest

from benchmarks.chinese_queries import in_chinese, read_queries, section
from shared.evaluation import report as scoring


def test_sixty_queries_have_each_a_chinese_form_of_its_own():
    queries = read_queries()
    assert len(queries) == 60
    assert len(set(queries.values())) == 60
    assert queries["hdmi cable"] == "HDMI线"


def test_lines_that_say_something_of_the_file_are_no_queries(tmp_path):
    path = tmp_path / "queries.tsv"
    path.write_text("# a note\n\ncup\t杯子\n", encoding="utf-8")
    assert read_queries(path) == {"cup": "杯子"}


def test_ratings_go_over_to_the_other_language():
    judgments = {"cup": {"1": 3}, "pan": {"2": 1}}
    assert in_chinese(judgments, {"cup": "杯子"}) == {"杯子": {"1": 3}}
    with pytest.raises(KeyError):
        in_chinese(judgments, {"pot": "锅"})


def test_both_languages_are_compared_query_by_query():
    judgments = {"cup": {"a": 3, "b": 0}, "pan": {"c": 3}, "pot": {"d": 0}}
    queries = {"cup": "杯子", "pan": "煎锅", "pot": "锅"}
    ranking = scoring.Ranking(full=("a", "b"), judged_only=("a", "b"))
    lost = scoring.Ranking(full=("b",), judged_only=("b", "a"))
    english = scoring.score(
        {"cup": ranking, "pan": scoring.Ranking(("c",), ("c",)), "pot": lost}, judgments
    )
    chinese = scoring.score(
        {"杯子": lost, "煎锅": scoring.Ranking(("c",), ("c",)), "锅": lost},
        in_chinese(judgments, queries),
    )
    text = section({"path": english}, {"path": chinese}, queries, {"path": "whole path"})
    # The pot has no relevant product: of two queries, one is lost.
    assert "| whole path | 1.000 | 0.500 | -50.0% |" in text
