import re
from collections import Counter
from pathlib import Path

import pytest

from services.orchestrator.experiments.assignment import arm_of, bucket_of
from services.orchestrator.experiments.experiment_file import (
    BUCKETS,
    Arm,
    Experiment,
    Layer,
    read_experiments,
)
from shared.yaml_file import YamlFileError


def layer(name: str = "ranking", salt: str = "a", **shares: float) -> Layer:
    arms = tuple(Arm(name=arm, share=share) for arm, share in shares.items())
    return Layer(name=name, salt=salt, experiments=(Experiment(id="x", arms=arms),))


def test_shares_are_kept_and_the_rest_is_in_no_experiment():
    one = layer(control=0.3, treatment=0.1)
    found = Counter(
        (arm[1].name if (arm := arm_of(one, f"u:{n}")) else "none") for n in range(40_000)
    )
    assert found["control"] / 40_000 == pytest.approx(0.3, abs=0.01)
    assert found["treatment"] / 40_000 == pytest.approx(0.1, abs=0.01)


def test_the_arm_of_a_user_stays_and_another_salt_draws_anew():
    assert [bucket_of("a", "b", f"u{n}") for n in range(5)] == [3300, 6981, 7295, 5397, 7936]
    one, same, other = layer(c=0.5, t=0.5), layer(c=0.5, t=0.5), layer(salt="b", c=0.5, t=0.5)
    units = [f"u:{n}" for n in range(2_000)]
    arms = [[arm_of(each, unit)[1].name for unit in units] for each in (one, same, other)]
    assert arms[0] == arms[1]
    alike = sum(a == b for a, b in zip(arms[0], arms[2], strict=True)) / len(units)
    assert alike == pytest.approx(0.5, abs=0.04)


def test_layers_are_independent_of_one_another():
    first, second = layer("one", c=0.5, t=0.5), layer("two", c=0.5, t=0.5)
    units = [f"u:{n}" for n in range(8_000)]
    both = Counter((arm_of(first, u)[1].name, arm_of(second, u)[1].name) for u in units)
    assert all(count / len(units) == pytest.approx(0.25, abs=0.02) for count in both.values())


def test_experiments_of_a_layer_exclude_one_another():
    arms = (Arm(name="c", share=0.25), Arm(name="t", share=0.25))
    one = Layer(
        name="l",
        salt="s",
        experiments=(Experiment(id="first", arms=arms), Experiment(id="second", arms=arms)),
    )
    found = Counter(arm_of(one, f"u:{n}")[0].id for n in range(8_000))
    assert found["first"] / 8_000 == pytest.approx(0.5, abs=0.02)
    assert found.total() == 8_000


def test_all_buckets_are_used():
    assert len({bucket_of("s", "l", str(n)) for n in range(200_000)}) == BUCKETS


GOOD = """
layers:
  - name: ranking
    salt: q4
    experiments:
      - id: online-head
        arms: [{name: control, share: 0.5}, {name: online, share: 0.5, ranking_model: online}]
        guard: {metrics: [click, purchase]}
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("salt: q4", "salt: ''", "salt"),
        ("share: 0.5}, {", "share: 0.6}, {", "more than 1"),
        ("share: 0.5}, {", "share: 0}, {", "share"),
        ("name: online, ", "name: control, ", "two arms of one name"),
        ("ranking_model: online", "ranking_model: best", "ranking_model"),
        ("metrics: [click, purchase]", "metrics: [joy]", "metrics"),
        ("guard:", "gaurd:", "gaurd"),
        ("id: online-head", "id: Online Head", "id"),
        (GOOD, "layers: 3", "layers"),
        (GOOD, "[1, 2", "expected"),
        (GOOD, "\x00", "special characters"),
    ],
)
def test_a_wrong_file_is_refused_with_its_fault(tmp_path, old, new, told):
    path = tmp_path / "experiments.yaml"
    path.write_text(GOOD)
    assert read_experiments(path).layers[0].experiments[0].key == "online-head@1"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(YamlFileError, match=told):
        read_experiments(path)


def test_the_documented_file_is_right(tmp_path):
    page = (Path(__file__).parents[4] / "docs" / "experiments.md").read_text("utf-8")
    path = tmp_path / "experiments.yaml"
    path.write_text(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])
    (experiment,) = read_experiments(path).layers[0].experiments
    assert [arm.ranking_model for arm in experiment.arms] == ["weights", "online"]


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(YamlFileError, match="No such file"):
        read_experiments(tmp_path / "none.yaml")
