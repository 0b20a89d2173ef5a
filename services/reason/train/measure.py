"""What is measured of a model of reasons: perplexity apart, how varied, how true, how obedient."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from services.reason.config import DEFAULT_BANNED_WORDS
from services.reason.facts import Claim, Fact, Scene
from services.reason.train.corpus import CorpusSettings, load_catalogue
from services.reason.train.frames import LANGUAGES
from services.reason.train.scenes import SceneSampler, choose, facts_of, products_of
from services.reason.verify import Verifier
from services.reason.wording.decode import Engine, Wanted, decode
from services.reason.wording.grammar import Grammar
from services.reason.wording.rendering import SaidReason
from services.reason.wording.sampling import SamplingSettings, choose_token
from services.reason.wording.slots import fill

BATCH: Final = 10
"""Reasons that are written at a time: a page."""


@dataclass(frozen=True, slots=True)
class Held:
    """A held-out scene with the facts that a reason is to say."""

    scene: Scene
    facts: Sequence[Fact]
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Written:
    """A held-out scene and what was written on it; None where nothing could be."""

    held: Held
    reason: SaidReason | None


def held_scenes(
    settings: CorpusSettings, data: Path, split: str, count: int, seed: int = 0
) -> list[Held]:
    """Draws scenes over held-out products, languages in turn.

    Args:
        settings: Names the catalogues.
        data: Folder of the data sets.
        split: "dev" or "test".
        count: How many.
        seed: Of the draws.
    """
    rng = random.Random(f"{seed}/{split}/held")  # noqa: S311  # no secret
    samplers: list[tuple[SceneSampler, Any]] = []
    for name in settings.catalogues:
        products = products_of(name, iter(load_catalogue(name, data)))[split]
        if len(products) > 1:
            samplers.append((SceneSampler(products, rng), products))
    found: list[Held] = []
    while len(found) < count and samplers:
        sampler, products = rng.choice(samplers)
        language = LANGUAGES[len(found) % len(LANGUAGES)]
        scene = sampler.draw(rng.choice(products), language)
        facts = facts_of(scene, language)
        if not facts:
            continue
        facts = choose(facts, rng)
        evidence = [fill(fact, language) for fact in facts]
        found.append(Held(scene, facts, Wanted(evidence, language, seed=len(found))))
    return found


def write_all(
    held: Sequence[Held], grammar: Grammar, engine: Engine, settings: SamplingSettings
) -> list[Written]:
    """Writes on scenes, a page at a time; a page is of one language, as it is when served."""
    found: list[Written] = []
    for language in LANGUAGES:
        of_language = [one for one in held if one.wanted.language == language]
        known = [one for one in of_language if grammar.knows_all(one.wanted.evidence, language)]
        # What a model has not learnt to say is left to the templates.
        found += [Written(one, None) for one in of_language if one not in known]
        for start in range(0, len(known), BATCH):
            page = known[start : start + BATCH]
            reasons = decode([one.wanted for one in page], grammar, engine, settings)
            found += [Written(one, reason) for one, reason in zip(page, reasons, strict=True)]
    return found


def claims_of(written: Written) -> list[Claim]:
    """Returns the claims of a reason, as the verifier reads them."""
    if written.reason is None:
        return []
    facts = written.held.facts
    return [
        Claim(clause.text, facts[clause.position].code, (facts[clause.position],))
        for clause in written.reason.clauses
    ]


def verdicts(written: Sequence[Written]) -> dict[str, Any]:
    """Returns how many claims were made, how many hold, and the causes of those that do not."""
    verifier = Verifier(DEFAULT_BANNED_WORDS)
    causes: dict[str, int] = {}
    claims = whole = 0
    for one in written:
        refused = 0
        for claim in claims_of(one):
            claims += 1
            if cause := verifier.check(claim, one.held.scene).cause:
                refused += 1
                causes[f"{claim.code}: {cause}"] = causes.get(f"{claim.code}: {cause}", 0) + 1
        whole += one.reason is not None and not refused
    failed = sum(causes.values())
    return {
        "claims": claims,
        "faithfulness": 1 - failed / claims if claims else 1.0,
        "served": whole / len(written) if written else 0.0,
        "causes": causes,
    }


def distinct(texts: Sequence[str], length: int) -> float:
    """Returns distinct-n (Li et al., 2016): different runs of n words over all runs.

    Words are runs of Latin letters and single Han characters; values count as they stand.
    """
    runs: list[tuple[str, ...]] = []
    for text in texts:
        words = re.findall(r"[a-z0-9']+|[\u4e00-\u9fff]", text.lower())
        runs += zip(*(words[start:] for start in range(length)), strict=False)
    return len(set(runs)) / len(runs) if runs else 0.0


def obedience(
    held: Sequence[Held], grammar: Grammar, engine: Engine, settings: SamplingSettings
) -> float:
    """Returns the share of reasons that keep to the grammar though nothing is masked.

    It tells what the model has learnt by itself; what is served is always constrained.
    """
    kept = 0
    for one in held:
        if not grammar.knows_all(one.wanted.evidence, one.wanted.language):
            continue
        rng = np.random.default_rng(one.wanted.seed)
        constraint = grammar.constrain(one.wanted.evidence, one.wanted.language)
        prefix = grammar.prefix(one.wanted.evidence, one.wanted.language)
        logits = engine.start(np.array([prefix], dtype=np.int64))
        every = np.arange(logits.shape[1], dtype=np.int64)
        while not constraint.finished and len(constraint.said) < settings.max_tokens:
            token = choose_token(logits[0], every, constraint.said, settings, rng)
            if token not in constraint.allowed():
                break
            constraint.take(token)
            logits = engine.step(np.array([token]), np.array([0]))
        kept += constraint.finished
    return kept / len(held) if held else 0.0


def report(
    held: Sequence[Held], grammar: Grammar, engine: Engine, settings: SamplingSettings
) -> tuple[dict[str, Any], list[Written]]:
    """Writes on held-out scenes and returns all figures by language, and what was written."""
    written = write_all(held, grammar, engine, settings)
    figures: dict[str, Any] = {"reasons": len(written), **verdicts(written)}
    for language in LANGUAGES:
        of_language = [one for one in written if one.held.wanted.language == language]
        texts = [one.reason.text for one in of_language if one.reason is not None]
        figures[language] = {
            "faithfulness": verdicts(of_language)["faithfulness"],
            "distinct_1": round(distinct(texts, 1), 4),
            "distinct_2": round(distinct(texts, 2), 4),
            "repeated": len(texts) - len(set(texts)),
        }
    few = [*held[: len(held) // 4]]
    figures["obedience"] = obedience(few, grammar, engine, settings)
    return figures, written
