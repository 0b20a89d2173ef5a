"""Points with their counts in a sentence, such as "9 of 15 reviews praise the comfort".

The seam for a language model: whoever writes more freely gets the same points, and answers for
their counts.
"""

from collections.abc import Sequence

from services.reason.summarise.points import Point


def write_overview(
    pros: Sequence[Point], cons: Sequence[Point], total: int, language: str, most: int = 3
) -> str:
    """Returns the points with their counts; "" when there is none.

    Args:
        pros: Points for, most reviews first.
        cons: Points against.
        total: Reviews that were read.
        language: "zh" or "en".
        most: Points named on each side.
    """
    sides = ((pros[:most], True), (cons[:most], False))
    if language == "zh":
        said = "；".join(_chinese(side, praises) for side, praises in sides if side)
        return f"{total}条评价中，{said}。" if said else ""
    return " ".join(_english(side, total, praises) for side, praises in sides if side)


def _english(points: Sequence[Point], total: int, praises: bool) -> str:
    first, *others = (f"the {point.aspect.labels['en']}" for point in points)
    verb = "praise" if praises else "fault"
    named = [f"{points[0].reviews} of {total} reviews {verb} {first}"]
    named += [f"{point.reviews} {label}" for point, label in zip(points[1:], others, strict=True)]
    return (", ".join(named[:-1]) + " and " if others else "") + named[-1] + "."


def _chinese(points: Sequence[Point], praises: bool) -> str:
    verb = "称赞" if praises else "批评"
    return "，".join(f"{point.reviews}条{verb}{point.aspect.labels['zh']}" for point in points)
