"""A checker of generated sentences that knows nothing of how they are made.

The reason service verifies its clauses against the evidence it collected. This checker sees only
the sentence and the records (catalogue, query, page, history): it reads the claims back out of the
words and holds each against the records, so that an error of the service's own evidence, of its
templates or of its verifier shows. What it cannot account for counts as unsupported.
"""

from shared.evaluation.claims.checker import CheckedClaim, CheckedText, check_text
from shared.evaluation.claims.record import Beside, Record, Seen

__all__ = ["Beside", "CheckedClaim", "CheckedText", "Record", "Seen", "check_text"]
