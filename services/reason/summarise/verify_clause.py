"""Whether a clause in the model's words says what the reviews do, and no more."""

from collections.abc import Collection, Sequence

from services.reason.summarise.pieces import Piece, mean_stars
from services.reason.summarise.reading import Reading, read, read_opening
from services.reason.summarise.verify import (
    Cause,
    Claim,
    Reread,
    fault_of_evidence,
    fault_of_words,
)
from services.reason.wording.opinions import FAULT, MIXED, PRAISE, RATED, READ


def fault_of_clause(
    piece: Piece, text: str, reread: Reread, language: str, banned: Collection[str] = ()
) -> Cause | None:
    """Returns what is wrong with a clause; None when it holds.

    The reviews are read again, each alone, and the words are read back without the frames that
    they may have come from.

    Args:
        piece: What it was to say.
        text: The clause as it stands in the sentence.
        reread: The reviews.
        language: Of the summary.
        banned: Words that may not stand in it.
    """
    if cause := fault_of_words(text, language, banned):
        return cause
    if piece.evidence.code in (READ, RATED):
        return _fault_of_opening(text, reread, language)
    for claim in piece.claims:
        if cause := fault_of_evidence(claim, reread):
            return cause
    found, wanted = read(text, language), _wanted(piece.claims)
    if found is None or (found.side, found.aspect) != (wanted.side, wanted.aspect):
        return "value"
    return None if found == wanted else "number"


def _fault_of_opening(text: str, reread: Reread, language: str) -> Cause | None:
    found = read_opening(text, language)
    if found is None:
        return "value"
    count, stars = found
    true = count == len(reread.reviews) and stars in ("", mean_stars(reread.reviews))
    return None if true else "number"


def _wanted(claims: Sequence[Claim]) -> Reading:
    praise = sum(claim.count for claim in claims if claim.praises)
    fault = sum(claim.count for claim in claims if not claim.praises)
    side = MIXED if len(claims) > 1 else PRAISE if claims[0].praises else FAULT
    return Reading(side, claims[0].aspect, praise, fault, claims[0].speaking)
