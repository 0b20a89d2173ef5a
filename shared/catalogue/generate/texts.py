"""Titles and descriptions in English and Chinese."""

from typing import Final

from shared.catalogue.generate.design import Design, Variant
from shared.catalogue.generate.vocabulary import Pair, Vocabulary

_CONNECTORS: Final = ("with", "without", "for", "in", "from", "that", "made")


def title(words: Vocabulary, design: Design, variant: Variant) -> Pair:
    """Return a title such as "Perchwood slim vacuum flask with leak-proof lid, 500 ml, black"."""
    kind, feature = design.kind, design.features[0]
    # Where all of a kind are of one material, the title need not say so.
    named = len(kind.materials) > 1
    material = words.materials[design.material] if named else Pair("", "")
    style = Pair(design.style.en, design.style.zh)
    middle = (material, style) if design.style.names_kind else (style, material)
    # "… mug with lid", but "… scarf, extra wide".
    follows = feature.title.en.split(" ")[0] in _CONNECTORS
    en = (
        design.brand.en,
        design.model,
        kind.lead.en,
        *(part.en for part in middle),
        kind.noun.en,
        feature.title.en if follows else "",
    )
    zh = "".join(
        (
            kind.lead.zh,
            *(part.zh for part in middle),
            kind.noun.zh,
        )
    )
    measure = fill_measures(kind.measure, variant)
    return Pair(
        ", ".join(
            part
            for part in (
                _join(*en),
                "" if follows else feature.title.en,
                measure.en,
                variant.colour,
            )
            if part
        ),
        _join(
            f"{design.brand.zh}（{design.brand.en}）{design.model}",
            zh,
            feature.title.zh,
            measure.zh,
            words.colours[variant.colour] if variant.colour else "",
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


def fill_measures(pair: Pair, variant: Variant) -> Pair:
    """Fill the measures of a variant into texts such as "{capacity} ml"."""
    values = {key: f"{value:g}" for key, value in variant.numbers.items()}
    return Pair(pair.en.format(**values), pair.zh.format(**values))


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)
