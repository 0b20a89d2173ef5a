from benchmarks.ablations import section
from shared.evaluation import report as scoring
from shared.evaluation.report import Ranking
from shared.evaluation.search_evaluation import SearchEvaluation

JUDGMENTS = {f"query {n}": {"a": 3, "b": 0} for n in range(6)}


def evaluation(**rankings):
    systems = {
        name: scoring.score({q: Ranking(ids, ids) for q in JUDGMENTS}, JUDGMENTS)
        for name, ids in rankings.items()
    }
    return SearchEvaluation(systems, JUDGMENTS, {}, {}, 0, 0, ablations=("without dense",))


def test_what_a_part_is_worth_stands_in_its_row():
    whole = {"path": "ab", "fused": "ab", "precise": "ab"}
    english = evaluation(**whole, **{"without dense": "ba"})
    chinese = evaluation(**whole, **{"without dense": "ab"})
    lines = section(english, chinese, 19_406).splitlines()
    (row,) = [line for line in lines if line.startswith("| without dense")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    # The relevant product is second of two: 1 / log2(3) = 0.631.
    assert cells[1:3] == ["0.631", "+0.369 (+0.369 to +0.369)"]
    assert cells[5] == "+0.369 (+0.369 to +0.369)"
    assert cells[7:] == ["+0.000 (+0.000 to +0.000)", "1.0000"]
    assert float(cells[3]) < 0.001
    (none,) = [line for line in lines if line.startswith("| without ranking")]
    assert "+0.000" in none
    assert any("6 of them in Chinese" in line for line in lines)
