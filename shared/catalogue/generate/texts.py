"""Titles and descriptions in English and Chinese."""

from typing import Final

from shared.catalogue.generate.design import Design, Variant
from shared.catalogue.generate.vocabulary import Pair, Vocabulary

_CONNECTORS: Final = ("with", "without", "for", "in", "from", "that", "made")


def title(words: Vocabulary, design: Design, variant: Variant) -> Pair:
    """Return a title such as "Perchwood slim vacuum flask with leak-proof lid, 500 ml, black"."""
    kind, style, feature = design.kind, design.style, design.features[0]
    # Where all of a kind are of one material, the title need not say so.
    material = words.materials[design.material] if len(kind.materials) > 1 else Pair("", "")
    middle = (material, style) if style.names_kind else (style, material)
    measure = _fill_measures(kind.measure, variant)
    en = _join(design.brand.en, design.model, kind.lead.en, *(part.en for part in middle))
    zh = "".join(part.zh for part in (kind.lead, *middle, kind.noun))
    # "… mug with lid", but "… scarf, extra wide".
    joint = " " if feature.title.en.split(" ")[0] in _CONNECTORS else ", "
    return Pair(
        _join(f"{en} {kind.noun.en}{joint}{feature.title.en}", measure.en, variant.colour, by=", "),
        _join(
            f"{design.brand.zh}（{design.brand.en}）{design.model}",
            zh,
            feature.title.zh,
            measure.zh,
            words.colours.get(variant.colour, ""),
        ),
    )


def description(words: Vocabulary, design: Design, variant: Variant, gift: Pair | None) -> Pair:
    """Return a few sentences: what it is, what it does, what it is made of, its measures."""
    sentences = [design.intro, *(feature.sentence for feature in design.features)]
    if design.material:
        material = words.materials[design.material]
        sentences.append(Pair(f"Material: {material.en}.", f"材质：{material.zh}。"))
    for key, value in variant.numbers.items():
        if key in words.measures:
            sentences.append(Pair(*(text.format(v=f"{value:g}") for text in words.measures[key])))
    if gift:
        sentences.append(gift)
    return Pair(
        " ".join(sentence.en for sentence in sentences),
        "".join(sentence.zh for sentence in sentences),
    )


def _fill_measures(pair: Pair, variant: Variant) -> Pair:
    """Fill the measures of a variant into texts such as "{capacity} ml"."""
    values = {key: f"{value:g}" for key, value in variant.numbers.items()}
    return Pair(pair.en.format(**values), pair.zh.format(**values))


def _join(*parts: str, by: str = " ") -> str:
    return by.join(part for part in parts if part)
