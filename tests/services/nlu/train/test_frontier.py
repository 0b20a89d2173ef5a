"""The table of compression: what is chosen from it, and how it is measured."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("torch")

from services.nlu.learnt.tokens import TokenRow
from services.nlu.train.examples import Example, TaskData, TaskKind
from services.nlu.train.frontier import (
    Step,
    as_json,
    as_table,
    choose,
    plot,
    steps_of,
    undominated,
)
from services.nlu.train.measure import measure_latency, sample_dev

TABLES = sorted((Path(__file__).parents[4] / "benchmarks" / "compression").glob("*.json"))
LARGEST_FILE = 25_000_000
"""Bytes of a committed file at most."""


def step(name: str, ms: float, mb: float, *quality: float, servable: bool = True) -> Step:
    figures = dict(zip(("entities.f1", "sentiment.accuracy"), quality, strict=True))
    return Step(name, mb, {1: ms, 8: 4 * ms, 32: 12 * ms}, figures, servable)


WHOLE = step("trained", 8.0, 36, 0.80, 0.95, servable=False)


def test_the_fastest_that_loses_little_is_served() -> None:
    steps = [
        WHOLE,
        step("fp32", 4.0, 36, 0.80, 0.95),
        step("int8", 2.0, 10, 0.795, 0.945),
        step("student", 1.0, 5, 0.74, 0.93),
    ]
    assert choose(steps, "trained").name == "int8"
    assert choose(steps, "trained", most_lost=0.06).name == "student"
    assert choose(steps, "trained", most_lost=0.0).name == "fp32"


def test_one_figure_that_falls_is_enough_to_be_refused() -> None:
    good_on_average = step("student", 1.0, 5, 0.90, 0.93)
    assert choose([WHOLE, step("fp32", 4.0, 36, 0.80, 0.95), good_on_average], "trained").name == (
        "fp32"
    )


def test_a_loss_of_exactly_a_point_is_allowed() -> None:
    edge = step("int8", 2.0, 10, 0.79, 0.94)
    assert choose([WHOLE, edge], "trained") is edge
    beyond = step("int8", 2.0, 10, 0.789, 0.94)
    with pytest.raises(ValueError, match="no form"):
        choose([WHOLE, beyond], "trained")


def test_what_chance_does_to_few_examples_is_allowed() -> None:
    steps = [WHOLE, step("fp32", 4.0, 36, 0.80, 0.95), step("int8", 2.0, 10, 0.78, 0.95)]
    # The standard error of 0.80 is 0.02 over 400 examples.
    assert choose(steps, "trained", {"entities": 399, "sentiment": 9_000}).name == "int8"
    assert choose(steps, "trained", {"entities": 401, "sentiment": 9_000}).name == "fp32"
    assert choose(steps, "trained", {"sentiment": 10}).name == "fp32"


def test_what_cannot_be_served_is_not_chosen() -> None:
    best = step("calibrated", 0.5, 10, 0.80, 0.95, servable=False)
    assert choose([WHOLE, best, step("int8", 2.0, 10, 0.80, 0.95)], "trained").name == "int8"
    with pytest.raises(ValueError, match="no form"):
        choose([WHOLE, best], "trained")


def test_between_forms_as_fast_the_smaller_is_served() -> None:
    steps = [WHOLE, step("big", 2.0, 20, 0.80, 0.95), step("small", 2.09, 10, 0.80, 0.95)]
    assert choose(steps, "trained").name == "small"
    slower = step("small", 2.2, 10, 0.80, 0.95)
    assert choose([*steps[:2], slower], "trained").name == "big"


def test_the_frontier_has_no_step_that_another_beats() -> None:
    beaten = step("beaten", 3.0, 10, 0.70, 0.95)
    fast, good = step("fast", 1.0, 5, 0.70, 0.90), step("int8", 2.0, 10, 0.79, 0.95)
    assert undominated([WHOLE, beaten, good, fast]) == [fast, good, WHOLE]


def test_readers_take_turns_over_the_same_texts() -> None:
    read: dict[str, list[list[str]]] = {"a": [], "b": []}
    order: list[str] = []

    def reader(name: str):
        def run(rows: Sequence[TokenRow]) -> None:
            order.append(name)
            read[name].append([str(row) for row in rows])

        return run

    taken = measure_latency(
        {"a": reader("a"), "b": reader("b")},
        ["x", "y", "z"],
        {1: 3, 2: 1},  # type: ignore[arg-type]
    )
    assert order == ["a", "b"] * 6  # one pass to warm up a size, then the counted ones
    assert read["a"] == read["b"]
    assert read["a"][-1] == ["x", "y"]
    assert set(taken["a"]) == {1, 2}


def test_dev_is_drawn_by_chance_and_always_alike() -> None:
    dev = [Example(text=str(at), label="x") for at in range(100)]
    task = TaskData("sentiment", TaskKind.CLASSES, ("x",), (), dev)
    drawn = sample_dev(task, 10).dev
    assert len(drawn) == 10
    assert drawn == sample_dev(task, 10).dev
    assert list(drawn) != dev[:10]
    assert sample_dev(task, 0).dev is dev


def test_the_table_marks_what_is_chosen() -> None:
    steps = [WHOLE, step("int8", 2.0, 10, 0.79, 0.95)]
    lines = as_table(steps, "trained", "int8").splitlines()
    assert lines[0].count("|") == lines[2].count("|")
    assert lines[3].startswith("| **int8** | 10.0 | 2.00 | 8.00 | 24.00 | 4.00 | 0.7900 |")


def test_the_plot_is_the_same_for_the_same_figures(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    steps = [WHOLE, step("int8", 2.0, 10, 0.79, 0.95)]
    for name in ("a.svg", "b.svg"):
        plot(steps, "int8", tmp_path / name)
    drawn = (tmp_path / "a.svg").read_text()
    assert "int8" in drawn
    assert drawn == (tmp_path / "b.svg").read_text()


def test_tables_are_read_as_they_were_written() -> None:
    steps = [WHOLE, step("int8", 2.0, 10, 0.79, 0.95)]
    table = json.loads(as_json(steps, "trained", "int8", {"threads": 2}))
    assert steps_of(table) == steps
    assert table["threads"] == 2


@pytest.mark.skipif(not TABLES, reason="no table was measured yet; benchmarks.compression keeps it")
def test_what_is_served_was_chosen_from_the_table() -> None:
    from services.nlu.train.export import FILES

    for path in TABLES:
        table = json.loads(path.read_text())
        best = choose(steps_of(table), table["trained"], table["dev_examples"])
        assert best.name == table["chosen"], path
        # The file that Triton serves is made in the form that was chosen.
        assert FILES[best.name] == "model.onnx", path


def test_weights_are_small_enough_to_commit() -> None:
    weights = (Path(__file__).parents[4] / "models").glob("*/*/*.safetensors")
    sizes = {str(path): path.stat().st_size for path in weights}
    assert max(sizes.values(), default=0) <= LARGEST_FILE, sizes
