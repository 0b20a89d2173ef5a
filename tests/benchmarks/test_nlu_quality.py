import json
from pathlib import Path

from benchmarks import nlu_quality
from benchmarks.nlu_quality import (
    SUBJECTS,
    Row,
    Subject,
    measured_baseline,
    measured_rules,
    section,
)
from shared.evaluation.labelled_texts import LabelledSpan, LabelledText
from shared.evaluation.text_evaluation import TextEvaluation
from shared.evaluation.text_tasks import TASKS


def evaluation(task, value, n=10):
    return TextEvaluation(task, TASKS[task].metric, value, n, {}, {"query_test@1": n}, 0)


def test_every_subject_is_of_a_known_task_and_its_own_files_are_there():
    for subject in SUBJECTS:
        assert subject.task in TASKS
        if subject.file.is_absolute():
            assert TASKS[subject.task].read(subject.file)


def test_rules_read_texts_without_a_model():
    subject = Subject("moods", "sentiment_zh", Path("x"))
    gold = [
        LabelledText("质量很好，非常满意", "positive"),
        LabelledText("太差了，垃圾", "negative"),
    ]
    assert measured_rules(subject, gold) == 1.0
    subject = Subject("reasons", "reason_tags_zh", Path("x"))
    spans = frozenset({LabelledSpan(2, 7, "性价比高")})
    assert measured_rules(subject, [LabelledText("这款性价比很高", spans=spans)]) == 1.0
    assert measured_rules(Subject("kinds", "category_zh", Path("x")), []) is None


def test_a_baseline_is_trained_once(tmp_path):
    calls = []

    def train(data):
        calls.append(data)
        return {"method": "guessing", "value": 0.5, "n": 3}

    kept = tmp_path / "kept" / "baselines.json"
    baselines = {"intents_en.support": train}
    for _ in range(2):
        figure = measured_baseline("intents_en", tmp_path, kept, baselines)
        assert figure["value"] == 0.5
    assert calls == [tmp_path]
    assert json.loads(kept.read_text())["intents_en.support"]["method"] == "guessing"
    assert measured_baseline("entities_en", tmp_path, kept, baselines) is None


def test_baselines_are_those_that_are_built():
    from services.nlu.train.baselines import BASELINES

    assert set(nlu_quality.BASELINE_OF.values()) <= set(BASELINES)


def test_the_section_puts_every_figure_beside_what_was_wanted():
    wanted = Subject("titles", "entities_zh", Path("x"), 0.74)
    free = Subject("queries", "entities_en", Path("x"))
    baseline = {"method": "character CRF", "value": 0.671}
    body = section(
        [
            Row(wanted, evaluation("entities_zh", 0.7512, 830), 0.21, baseline),
            Row(wanted, evaluation("entities_zh", 0.7399), None, None),
            Row(free, evaluation("entities_en", 0.8123), 0.5, None),
        ]
    )
    assert (
        "| titles | 830 | F1, exact spans | 0.210 | 0.671 (character CRF) | **0.7512** "
        "| ≥ 0.740: yes |"
    ) in body
    assert "| – | – | **0.7399** | ≥ 0.740: no |" in body
    assert "| queries | 10 | F1, exact spans | 0.500 | – | **0.8123** | – |" in body
    assert "Served by query_test@1" in body
