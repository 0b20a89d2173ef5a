"""Figures of generated reasons as the section of RESULTS.md, and as a plot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

from benchmarks import plots, report
from shared.evaluation.fluency import Fluency
from shared.evaluation.reasons.faithfulness import upper_bound
from shared.evaluation.reasons.falsified import Noticed
from shared.evaluation.reasons.figures import document
from shared.evaluation.reasons.score import ReasonEvaluation

COMMAND = "python -m benchmarks.reason_truth"
PLOT = "reason_fluency.svg"
_SHUFFLED = "words shuffled"


@dataclass(frozen=True)
class Run:
    """One catalogue, worded by one generator."""

    catalogue: str
    generator: str
    evaluation: ReasonEvaluation
    claims: int
    """Claims as the service counts them."""
    refused: int
    """Of these, those that the verifier refuses when it reads them again."""

    @cached_property
    def figures(self) -> dict[str, Any]:
        """All figures by name; see docs/reasons.md."""
        return document(self.evaluation)


def section(runs: Sequence[Run], model_seconds: float | None = None) -> str:
    """The section of RESULTS.md.

    Args:
        runs: What was measured.
        model_seconds: That the model got for a page; None for what it gets when serving.
    """
    busy = (
        f"The machine had other work: the model got {model_seconds:g} s a page; times, and the\n"
        "share that the model words, are of that machine. "
        if model_seconds is not None
        else ""
    )
    catalogues = {run.catalogue: len(run.evaluation.pages) for run in runs}
    claims = sum(run.claims for run in runs)
    refused = sum(run.refused for run in runs)
    return "\n\n".join(
        (
            "## Are reasons true",
            report.provenance(
                COMMAND, ", ".join(f"{name} ({pages} pages)" for name, pages in catalogues.items())
            ),
            _truth(runs),
            _fitness(runs),
            _groups(runs, "by_language", "language"),
            _groups(runs, "by_page", "page"),
            _groups(runs, "by_kind", "kind of claim"),
            "False claims against the verifier of the service, and sentences made false against\n"
            f"the checker. Of {claims:,} claims that were served the verifier refuses {refused:,}.",
            _attacks(runs),
            *_fluency(runs),
            f"{busy}Pages of 10, each query as a visitor nobody knows and as a user who looked at\n"
            "or bought the first result; then recommendations, for that user and beside that\n"
            "product. Of icecat the judged products and others, 6,000. Claims are read out of the\n"
            "words by\n"
            "`shared/evaluation/claims`, which shares no code with the service, and held against\n"
            "the catalogue, the query, the page and the history. \"At most\" is the share of\n"
            "unsupported claims that the count does not rule out (Clopper and Pearson, 95 %).\n"
            "`docs/reasons.md` explains each figure. Summaries have a section of their own.",
        )
    )  # fmt: skip


def draw(runs: Sequence[Run]) -> None:
    """The plot of fluency."""
    found = {
        "English" if language == "en" else "Chinese": {
            name: group.perplexity if name != _SHUFFLED else group.shuffled
            for name, group in groups.items()
        }
        for language, groups in _groups_of_fluency(runs).items()
    }
    if found:
        label = "perplexity (per word, Chinese per character; lower is more natural)"
        plots.grouped(found, label, report.PLOTS / PLOT, log=True)


def _truth(runs: Sequence[Run]) -> str:
    return report.table(
        (
            "catalogue", "worded by", "reasons", "by the model", "claims", "unsupported",
            "at most", "ms a page, p50", "p95",
        ),
        [
            (
                run.catalogue,
                run.generator,
                f"{len(run.evaluation.scored):,}",
                f"{run.evaluation.model_share:.1%}",
                f"{run.evaluation.claims:,}",
                f"{run.evaluation.unsupported:,}",
                f"{run.figures['unsupported_at_most']:.2%}",
                *_times(run.figures["milliseconds_per_page"]),
            )
            for run in runs
        ],
    )  # fmt: skip


def _times(found: dict[str, float] | None) -> tuple[str, str]:
    return (f"{found['p50']:.1f}", f"{found['p95']:.1f}") if found else ("", "")


def _fitness(runs: Sequence[Run]) -> str:
    return report.table(
        (
            "catalogue", "worded by", "query words taken up", "wishes met, named",
            "most often on a page", "pages with one twice", "more than twice", "self-BLEU",
            "distinct-1", "distinct-2", "history named", "to strangers",
        ),
        [
            (
                run.catalogue,
                run.generator,
                f"{f['query_coverage']:.3f}",
                f"{f['wishes_named'] or 0:.1%}",
                f"{run.evaluation.most_repeated}",
                f"{f['pages_with_a_repeat']:.1%}",
                f"{f['pages_with_more_than_one_repeat']:.1%}",
                f"{f['self_bleu']:.3f}",
                f"{f['distinct_1']:.3f}",
                f"{f['distinct_2']:.3f}",
                f"{f['history_named']:.1%}",
                f"{f['history_named_to_strangers']:.1%}",
            )
            for run in runs
            for f in [run.figures]
        ],
    )  # fmt: skip


def _groups(runs: Sequence[Run], figure: str, heading: str) -> str:
    generators = list(dict.fromkeys(run.generator for run in runs))
    counts: dict[str, Counter[str]] = {name: Counter() for name in generators}
    wrong: dict[str, Counter[str]] = {name: Counter() for name in generators}
    for run in runs:
        for name, of in run.figures[figure].items():
            counts[run.generator][name] += of["claims"]
            wrong[run.generator][name] += of["unsupported"]
    return report.table(
        (
            heading,
            *chain.from_iterable((f"{g}: claims", "unsupported", "at most") for g in generators),
        ),
        [
            (
                name,
                *chain.from_iterable(
                    (
                        f"{counts[g][name]:,}",
                        f"{wrong[g][name]:,}",
                        _bound(wrong[g][name], counts[g][name]),
                    )
                    for g in generators
                ),
            )
            for name in sorted(set(chain.from_iterable(counts.values())))
        ],
    )


def _bound(failures: int, trials: int) -> str:
    return f"{upper_bound(failures, trials):.2%}" if trials else ""


def _attacks(runs: Sequence[Run]) -> str:
    rows: list[tuple[str, ...]] = []
    against: tuple[tuple[str, Callable[[Run], Noticed | None]], ...] = (
        ("verifier", lambda run: run.evaluation.verifier),
        ("checker", lambda run: run.evaluation.checker),
    )
    for name, noticed_of in against:
        made, rejected = Counter[str](), Counter[str]()
        for run in runs:
            if noticed := noticed_of(run):
                made += noticed.made
                rejected += noticed.rejected
        rows += [
            (kind, name, f"{count:,}", f"{rejected[kind] / count:.2%}")
            for kind, count in sorted(made.items())
        ]
        if made:
            share = rejected.total() / made.total()
            rows.append((f"**all, {name}**", name, f"{made.total():,}", f"**{share:.2%}**"))
    return report.table(("what is false", "against", "made", "rejected"), rows)


def _fluency(runs: Sequence[Run]) -> list[str]:
    rows = [
        (
            language,
            name,
            f"{group.sentences:,}",
            f"{group.shuffled if name == _SHUFFLED else group.perplexity:.1f}",
            f"{group.unknown:.1%}",
        )
        for language, groups in _groups_of_fluency(runs).items()
        for name, group in groups.items()
    ]
    if not rows:
        return []
    return [
        report.table(
            ("language", "written by", "sentences", "perplexity", "unknown words"), rows
        ),
        f"![perplexity by who wrote](plots/{PLOT})",
        "Perplexity under an interpolated Kneser-Ney trigram model (Chinese by characters) of\n"
        "reviews, summaries and descriptions that the generator was not trained on\n"
        "(`benchmarks/plain_text.py`), names, values and numbers under slots. People are\n"
        "sentences of the same texts kept apart; the shuffled words are theirs.",
    ]  # fmt: skip


def _groups_of_fluency(runs: Sequence[Run]) -> dict[str, dict[str, Fluency]]:
    """By language: people, shuffled, then each generator where it wrote over all catalogues."""
    found: dict[str, dict[str, list[Fluency]]] = {}
    for run in runs:
        for language, groups in run.evaluation.fluency.items():
            for name, group in groups.items():
                # What the template says for the model is the template's, of the run with none.
                if name == "people" or (name == "template") == (run.generator == "template"):
                    found.setdefault(language, {}).setdefault(name, []).append(group)
    merged: dict[str, dict[str, Fluency]] = {}
    for language, groups in found.items():
        people = groups.pop("people")[0]
        merged[language] = {"people": people, _SHUFFLED: people}
        merged[language] |= {name: Fluency.joined(each) for name, each in groups.items()}
    return merged
