"""What the evaluation found: figures by task and by system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.nlu.pictures.evaluation.measure import Ranks, interval_json, recalls
from shared.evaluation.significance import Interval

MODEL: Final = "dual encoder"
BASELINE: Final = "colour histogram and category"
HISTOGRAM: Final = "colour histogram alone"
_CUT: Final = 10


@dataclass(frozen=True, slots=True)
class CrossmodalEvaluation:
    """What came of it; every mapping is by system.

    Attributes:
        text_to_picture: Listings of the products in each colour find their pictures.
        picture_to_text: Pictures find the listing of what they show among all listings.
        other_views: A picture and the listing of what it shows find its other pictures.
        like_this_but: A picture and another colour find the product in it: by the picture alone, by
            the text alone ("red. Women, Tees"), by both, by an edit ("red"), and by the text with
            the edited picture.
        colours: Share of the pictures whose colour word fits best of all such words.
        patterns: Area under the ROC curve of words for patterns against "plain".
        chosen: What was chosen on the products for choices.
        counts: Products and pictures of each part.
    """

    text_to_picture: Mapping[str, Ranks]
    picture_to_text: Mapping[str, Ranks]
    other_views: Mapping[str, Ranks]
    like_this_but: Mapping[str, Ranks]
    colours: Mapping[str, Interval]
    patterns: Mapping[str, Interval]
    chosen: Mapping[str, float]
    counts: Mapping[str, Mapping[str, int]]

    @property
    def times_baseline(self) -> float:
        """Recall@10 from text to picture over that of the baseline."""
        ours, theirs = (self.text_to_picture[name].recall(_CUT).mean for name in (MODEL, BASELINE))
        return ours / max(theirs, 1e-9)

    def as_json(self) -> dict[str, object]:
        """Returns the figures."""
        return {
            "text_to_picture": recalls(self.text_to_picture),
            "picture_to_text": recalls(self.picture_to_text),
            "other_views": recalls(self.other_views),
            "like_this_but": recalls(self.like_this_but),
            "times_baseline": self.times_baseline,
            "colour_words": {name: interval_json(each) for name, each in self.colours.items()},
            "pattern_words": {name: interval_json(each) for name, each in self.patterns.items()},
            "chosen": dict(self.chosen),
            "parts": {name: dict(each) for name, each in self.counts.items()},
        }
