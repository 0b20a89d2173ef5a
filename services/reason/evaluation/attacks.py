"""Attacks on the verifier: claims made false in one way each, from claims that hold.

An error of a generator is one of these: a value swapped, a number changed, a denial added or lost,
a comparison turned round, a superlative, evidence of another product, query or user, a claim under
another code. Every one must be rejected. What an attack makes may be true by chance (another
product that is black as well); such claims are not attacks, and are left out by what the evidence
of the scene itself holds, not by the verifier.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.reason.clauses import say
from services.reason.evidence import query_facts
from services.reason.facts import Claim, Fact, Scene
from services.reason.generate import claim
from services.reason.ranking_facts import ranking_facts
from services.reason.relations import relation_facts
from services.reason.search_facts import search_facts
from services.reason.standing import standing_facts
from services.reason.templates import TEMPLATES
from shared.text.normalise import fold
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.recommend.v1.relation_pb2 import Relation

_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
_OF_OTHERS: Final = ("because_you_viewed", "because_you_bought", "brand_affinity")
_COMPARED: Final = {
    "en": (
        (" below ", " above "),
        ("within ", "far from "),
        (" above ", " below "),
        ("cheaper than", "dearer than"),
    ),
    "zh": (
        ("低于", "高于"),
        ("以内", "以外"),
        ("不超过", "超过"),
        ("高于", "低于"),
        ("便宜", "昂贵"),
    ),
}
_DENIED: Final = {"en": "not {}", "zh": "不是{}"}
_UNSAFE: Final = {
    "guarantee": {"en": "guaranteed: {}", "zh": "保证{}"},
    "medical claim": {"en": "{} and relieves pain", "zh": "{}，治疗失眠"},
    "quantity without a number": {"en": "often {}", "zh": "总是{}"},
    "personal data": {"en": "{}, call 138-1234-5678", "zh": "{}，电话13812345678"},
    "abuse": {"en": "{}, you bastard", "zh": "{}，傻逼"},
    "another language": {"en": "{}，现货", "zh": "{} in stock"},
}
_NAMED_BY_VALUE: Final = ("fits", "fitted_by", "goes_with", "similar_to")
_PHONE: Final = " 13812345678"
_PRAISED: Final = {"en": "the best: {}", "zh": "最好的{}"}


@dataclass(frozen=True, slots=True)
class Attack:
    """A false claim."""

    kind: str
    claim: Claim
    scene: Scene


def facts_of(scene: Scene, language: str) -> list[Fact]:
    """Returns all evidence of a scene."""
    return [
        *query_facts(scene, language),
        *search_facts(scene),
        *relation_facts(scene),
        *ranking_facts(scene),
        *standing_facts(scene, language),
    ]


def attacks(
    scene: Scene, others: Sequence[Scene], language: str, said: Sequence[Claim] = ()
) -> Iterator[Attack]:
    """Yields false claims about a scene's product.

    Args:
        scene: The product with what is known.
        others: Scenes of other products, queries or users, to take evidence from.
        language: Of the claims.
        said: True claims in other words than the templates', such as a model's.
    """
    own = facts_of(scene, language)
    told = [claim(fact, language, scene.product.id) for fact in own]
    texts = {fold(true.text) for true in told}
    for true in (*told, *(each for each in said if fold(each.text) not in texts)):
        yield from _of_words(true, scene, language)
        yield from _of_numbers(true, scene, language)
        yield from _of_codes(true, scene, own, language)
        yield from _of_scene(true, scene)
        yield from _with_a_phone(true, scene, language)
    # As the scene's own evidence says it, whatever words of the query or strength stand beside it.
    known = {(fact.code, fold(fact.value)) for fact in own}
    for other in others:
        for fact in facts_of(other, language):
            if (fact.code, fold(fact.value)) not in known and not _in_title(fact, scene):
                stolen = claim(fact, language, scene.product.id)
                yield Attack("evidence of another scene", stolen, scene)
    yield from _swapped(own, others, scene, language)


def _in_title(fact: Fact, scene: Scene) -> bool:
    """Whether what another title holds of the query stands in this one as well."""
    titles = " ".join(fold(title) for title in scene.product.titles.values())
    return fact.code == "title_match" and all(
        fold(words) in titles for words in fact.value.split(", ")
    )


def _of_words(true: Claim, scene: Scene, language: str) -> Iterator[Attack]:
    for word, turned in _COMPARED[language]:
        if word in true.text:
            text = true.text.replace(word, turned, 1)
            yield Attack("comparison turned round", replace(true, text=text), scene)
    denied = _DENIED[language].format(true.text)
    yield Attack("denied", replace(true, text=denied), scene)
    praised = _PRAISED[language].format(true.text)
    yield Attack("superlative", replace(true, text=praised), scene)
    for kind, by_language in _UNSAFE.items():
        text = by_language[language].format(true.text)
        yield Attack(kind, replace(true, text=text), scene)
    if true.code == "exclusion_met":
        (fact,) = true.facts
        yield Attack("denial lost", replace(true, text=f"{fact.value}, {fact.meets}"), scene)


def _of_numbers(true: Claim, scene: Scene, language: str) -> Iterator[Attack]:
    quoted = [text for fact in true.facts for text in (fact.meets, fact.value) if '"' not in text]
    for found in _NUMBER.finditer(true.text):
        if any(found[0] in text and not _is_number(text) for text in quoted):
            continue  # a name holds it
        changed = f"{float(found[0]) * 1.37 + 3:.0f}"
        text = true.text[: found.start()] + changed + true.text[found.end() :]
        yield Attack("number changed in the words", replace(true, text=text), scene)
    for fact in true.facts:
        part, _, whole = fact.value.partition(" ")
        if (true.code.startswith("praised_") or true.code == "price_in_category") and part != whole:
            turned = fact._replace(value=f"{whole} {part}")
            yield from _retold(true, turned, scene, language, "part and whole swapped")
            text = say(turned, language, scene.product.id)
            yield Attack("part and whole swapped", replace(true, text=text), scene)
        for found in _NUMBER.finditer(fact.value if _is_number(fact.value) else ""):
            value = fact.value[: found.start()] + _other(found[0]) + fact.value[found.end() :]
            yield from _retold(true, fact._replace(value=value), scene, language, "number changed")


def _of_codes(true: Claim, scene: Scene, own: Sequence[Fact], language: str) -> Iterator[Attack]:
    holding = {fact.code for fact in own}
    for code in TEMPLATES[language]:
        if code not in holding and code != true.code:
            yield Attack("under another code", replace(true, code=code), scene)


def _of_scene(true: Claim, scene: Scene) -> Iterator[Attack]:
    if scene.user is not None and true.code in _OF_OTHERS:
        yield Attack("history of nobody", true, replace(scene, user=None, anchors=()))
    if (
        scene.query is not None
        and true.facts[0].meets
        and true.facts[0].source.startswith(("attributes.", "brand", "titles."))
    ):
        asked_else = replace(scene, query=QueryUnderstanding(query="?", language_code="en"))
        yield Attack("of another query", true, asked_else)


def _with_a_phone(true: Claim, scene: Scene, language: str) -> Iterator[Attack]:
    """A title that holds a phone number: true, and not to be quoted."""
    (fact,) = true.facts
    relations: list[Relation] = []
    for relation in scene.relations:
        changed = Relation()
        changed.CopyFrom(relation)
        changed.product_title += _PHONE
        relations.append(changed)
    name = "value" if fact.meets and true.code.startswith(_NAMED_BY_VALUE) else "meets"
    if fact.source == "relations" and getattr(fact, name):
        told = fact._replace(**{name: getattr(fact, name) + _PHONE})
        leaking = replace(scene, relations=relations)
        yield from _retold(true, told, leaking, language, "phone in a quoted title")


def _swapped(
    own: Sequence[Fact], others: Sequence[Scene], scene: Scene, language: str
) -> Iterator[Attack]:
    """The scene's evidence with the value that another product has in its place."""
    for fact in own:
        if not fact.source.startswith(("attributes.", "brand")):
            continue
        key = fact.source.removeprefix("attributes.")
        for other in others:
            value = other.product.brand if key == "brand" else _first(other, key)
            if value and value.casefold() not in _all_values(scene, key):
                true = claim(fact, language, scene.product.id)
                yield from _retold(
                    true, fact._replace(value=value), scene, language, "value swapped"
                )
                break


def _retold(true: Claim, fact: Fact, scene: Scene, language: str, kind: str) -> Iterator[Attack]:
    try:
        text = say(fact, language, scene.product.id)
    except (ValueError, IndexError):
        return
    yield Attack(kind, replace(true, text=text, facts=(fact,)), scene)


def _first(scene: Scene, key: str) -> str:
    attributes = scene.product.attributes
    return attributes[key].texts[0] if key in attributes and attributes[key].texts else ""


def _all_values(scene: Scene, key: str) -> str:
    attributes = scene.product.attributes
    texts = list(attributes[key].texts) if key in attributes else []
    return " ".join([*texts, scene.product.brand]).casefold()


def _is_number(text: str) -> bool:
    """Whether a value is made of numbers, units and currencies, and no name."""
    return re.fullmatch(r"[\d.,%\s]+(?:[A-Z]{3})?", text) is not None


def _other(number: str) -> str:
    return repr(float(number) + 1.0) if "." in number else str(int(number) + 1)
