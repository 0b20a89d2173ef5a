"""What a knowledge graph holds: kinds of nodes and edges, and the fact, an edge that can be told.

A graph is typed so that a reason can be said from it without guessing: every edge knows what it
means, how strong it is, where it comes from, and the words that show it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NodeKind(StrEnum):
    """What a node stands for."""

    CATEGORY = "category"
    BRAND = "brand"
    VALUE = "value"
    """One value of one attribute, such as colour black."""
    PRODUCT = "product"


class EdgeKind(StrEnum):
    """What an edge means, read from subject to object."""

    IS_IN = "is-in"
    """Product, category."""
    MADE_BY = "made-by"
    """Product, brand."""
    HAS = "has"
    """Product, value."""
    SUB_CATEGORY_OF = "sub-category-of"
    """Category, the category above it."""
    COMPATIBLE_WITH = "compatible-with"
    """Accessory, the product that it fits."""
    COMPLEMENTS = "complements"
    """Category, a category whose products are bought on top of it; may be the same one."""


class Source(StrEnum):
    """How an edge is known; a reason may claim more of what is stated than of what was inferred."""

    STATED = "stated"
    """A field of the product says so."""
    TITLE = "title"
    """Inferred from the words of titles."""
    TAXONOMY = "taxonomy"
    """Stated by a category tree."""
    COMPATIBILITY = "compatibility"
    """A compatibility attribute names the other product; for categories: their products fit."""
    LINKS = "links"
    """Learnt from links between products, made by hand or by what shoppers did."""
    ATTRIBUTES = "attributes"
    """Products of both categories share attribute values."""


@dataclass(frozen=True, slots=True)
class Node:
    """One thing; two nodes are the same when kind and key are."""

    kind: NodeKind
    key: str
    """Unique within the kind: a product's id; a folded brand; a category's folded path joined with
    " > "; an attribute's key, "=" and the folded value."""
    label: str
    """As shown to shoppers."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One edge."""

    kind: EdgeKind
    subject: Node
    object: Node
    source: Source = Source.STATED
    weight: float = 1.0
    """Strength, above 0 and at most 1. Complements learnt from links: the share of the links out of
    the subject; compatible-with: 1 for the very model, less for its family."""
    evidence: str = ""
    """The words or counts that show it, such as "EOS 2000D" or "12 of 40 links"; may be empty."""


MAX_LABEL = 200
"""Longest label or evidence, in characters; the rest is cut off."""
