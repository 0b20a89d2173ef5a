"""Figures of reasons as a section: every generator beside the others, and fluency joined."""

from benchmarks.reason_report import Run, section
from shared.evaluation.fluency import fluency_model
from shared.evaluation.reasons.falsified import Noticed
from shared.evaluation.reasons.score import score
from tests.shared.evaluation.fluency.test_perplexity import REVIEWS
from tests.shared.evaluation.reasons.test_score import page

TRUE, FALSE = "Black, as you asked.", "White, as you asked."


def run(generator: str, texts: list[str]) -> Run:
    noticed = Noticed()
    noticed.note("superlative", "the best", rejected=True)
    noticed.note("superlative", "the best", rejected=generator == "template")
    evaluation = score([page(texts)], [fluency_model(REVIEWS, "en")], noticed)
    return Run("shop", generator, evaluation, 4, 0)


def test_generators_stand_beside_each_other() -> None:
    text = section([run("template", [TRUE]), run("reason_small", [TRUE, FALSE])])
    lines = text.splitlines()
    rows = [line for line in lines if line.startswith("| shop |")]
    assert [row.split(" | ")[1] for row in rows[:2]] == ["template", "reason_small"]
    assert rows[1].split(" | ")[2:6] == ["2", "50.0%", "4", "1"]
    (language,) = (line for line in lines if line.startswith("| en |") and line.count("|") == 8)
    assert language == "| en | 2 | 0 | 77.64% | 4 | 1 | 75.14% |"
    assert "| superlative | verifier | 4 | 75.00% |" in lines
    # What the template says where the model has no answer is not counted as the model's.
    fluency = [line for line in lines if line.startswith("| en | ") and line.count("|") == 6]
    assert [line.split(" | ")[1:3] for line in fluency] == [
        ["people", fluency[0].split(" | ")[2]],
        ["words shuffled", fluency[0].split(" | ")[2]],
        ["template", "1"],
        ["model", "1"],
    ]
