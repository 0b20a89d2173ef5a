"""docs/internet_scale.md shows what the planner says for the costs as they are."""

import pytest

from benchmarks import plan_docs
from shared.planning.costs import read_costs

AGAIN = "the costs or the planner changed: run python -m benchmarks.plan_docs"


@pytest.fixture(scope="module")
def page():
    return plan_docs.PAGE_PATH.read_text("utf-8")


def test_the_example_is_what_the_planner_says(page):
    assert plan_docs.example() in page, AGAIN


def test_the_limits_are_those_of_the_costs(page):
    assert plan_docs.limits(read_costs()) in page, AGAIN


def test_the_picture_is_there():
    assert plan_docs.PICTURE.stat().st_size < 200_000
