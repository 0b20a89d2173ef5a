"""Weights without a group of features: what each group is worth shows when it is left out."""

from collections.abc import Mapping
from typing import Final

from services.ranking.explanation_words import GROUPS
from services.ranking.weights import ServingConfig, Weights

TYPES: Final = ("type_modifier", "type_match")
"""What is known of the kinds of product; also a part of the group "kind"."""


def without_features(
    weights: Weights, serving: str = "search"
) -> tuple[Weights, Mapping[str, str]]:
    """Adds serving configs that lack one group of features each.

    Groups that weigh nothing, and so cannot be missed, are left out.

    Args:
        weights: Of the file.
        serving: The config to take groups from.

    Returns:
        The weights with the configs added, and the name of each group's config by the group.
    """
    config = weights.serving[serving]
    groups = {group.key: group.features for group in GROUPS} | {"types": TYPES}
    configs = {
        name: _without(config, name, features)
        for name, features in groups.items()
        if any(_weighs(config, feature) for feature in features)
    }
    names = {name: f"{serving}-without-{name}" for name in configs}
    added = {names[name]: made for name, made in configs.items()}
    return weights.model_copy(update={"serving": weights.serving | added}), names


def _weighs(config: ServingConfig, feature: str) -> bool:
    return any(config.weights_in(language).get(feature) for language in ("", *config.languages))


def _without(config: ServingConfig, name: str, features: tuple[str, ...]) -> ServingConfig:
    nothing = dict.fromkeys(features, 0.0)
    return config.model_copy(
        update={
            "version": f"{config.version} without {name}",
            "weights": config.weights | nothing,
            "languages": {
                language: different | nothing for language, different in config.languages.items()
            },
        }
    )
