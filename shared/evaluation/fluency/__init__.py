"""How natural generated sentences read, by a language model that had no part in making them."""

from shared.evaluation.fluency.kneser_ney import KneserNey
from shared.evaluation.fluency.perplexity import Fluency, HeldOut, fluency_model, measure
from shared.evaluation.fluency.words import sentences, slotted

__all__ = ["Fluency", "HeldOut", "KneserNey", "fluency_model", "measure", "sentences", "slotted"]
