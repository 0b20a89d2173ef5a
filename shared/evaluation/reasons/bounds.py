"""Bounds that a build can hold the reasons of a shop to."""

from __future__ import annotations

from dataclasses import dataclass

from shared.evaluation.reasons.score import ReasonEvaluation


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an evaluation must keep; with neither of the first two, no claim may be unsupported."""

    max_unsupported: int | None = None
    fail_under: float | None = None
    """Least share of the claims that is supported, 0 to 1."""
    min_rejected: float = 0.99
    """Least share of the false claims that the verifier rejects, 0 to 1."""

    def broken(self, evaluation: ReasonEvaluation) -> list[str]:
        """Returns what an evaluation breaks, in words; nothing when it keeps all."""
        most, least = self.max_unsupported, self.fail_under
        if most is None and least is None:
            most = 0
        if not evaluation.claims:
            return ["no reason was written, so that nothing was measured"]
        found: list[str] = []
        if most is not None and evaluation.unsupported > most:
            found.append(f"{evaluation.unsupported} claims are unsupported, at most {most} may be")
        if least is not None and evaluation.faithfulness < least:
            share = f"{evaluation.faithfulness:.4f}"
            found.append(f"{share} of the claims are supported, {least:g} must be")
        rejected = evaluation.verifier.share if evaluation.verifier else None
        if rejected is not None and rejected < self.min_rejected:
            found.append(
                f"{rejected:.4f} of the false claims are rejected, {self.min_rejected:g} must be"
            )
        return found
