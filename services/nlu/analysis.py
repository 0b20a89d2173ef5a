"""Analysis: texts read by the learnt models alone, each by the model of its language."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.nlu.language import query_language
from services.nlu.learnt.intent_heads import IntentHeads
from services.nlu.learnt.models import Models
from services.nlu.learnt.port import Reading
from shared.errors import UnavailableError


@dataclass(frozen=True, slots=True)
class Analysed:
    """One text: the language that chose the model, the model, and what it read."""

    text: str
    language_code: str
    model: str
    reading: Reading


@dataclass(frozen=True, slots=True)
class Analyses:
    """All texts in their order, and where their time went."""

    items: Sequence[Analysed]
    queue_nanos: int
    inference_nanos: int


async def analyse(
    models: Models, heads: IntentHeads, texts: Sequence[str], language_code: str = ""
) -> Analyses:
    """Reads texts, those of one language together.

    Args:
        models: Whom to ask.
        heads: Of intents, beside the models' own; where one is lost, the model's own stand.
        texts: In any mixture of languages.
        language_code: What the caller says of their language, or "".

    Raises:
        UnavailableError: A model does not answer, or there is none.
        DeadlineExceededError: Not within the caller's deadline.
    """
    languages = [query_language(text, language_code)[0] for text in texts]
    items: dict[int, Analysed] = {}
    queue = inference = 0
    for language in dict.fromkeys(languages):
        reader = models.reader(language)
        if reader is None:
            raise UnavailableError("no model that reads texts is installed")
        places = [at for at, item in enumerate(languages) if item == language]
        made = await reader.read([texts[at] for at in places])
        for at, reading in zip(places, made.readings, strict=True):
            read = heads.refine(reading, made.model).reading
            items[at] = Analysed(texts[at], language, made.model, read)
        queue += made.queue_nanos
        inference += made.inference_nanos
    return Analyses([items[at] for at in range(len(texts))], queue, inference)
