"""What a stream speaks of: topics, labels and words of judgement, from a TOML file.

`data/shop.toml` and `data/finance.toml` come along; docs/monitoring.md describes the form.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from services.insight.domain import Mood
from shared.text.normalise import fold

DATA: Final = Path(__file__).parent / "data"
_MOST_TOPICS: Final = 200
_Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class DomainFileError(ValueError):
    """A file of a domain is not of the form."""


class Labels(BaseModel):
    """What the moods are called."""

    model_config = ConfigDict(extra="forbid")
    positive: _Text = "positive"
    neutral: _Text = "neutral"
    negative: _Text = "negative"

    def of(self, mood: Mood) -> str:
        """Returns the label of a mood."""
        return {
            Mood.POSITIVE: self.positive,
            Mood.NEUTRAL: self.neutral,
            Mood.NEGATIVE: self.negative,
        }[mood]


class SentimentWords(BaseModel):
    """How the mood is read."""

    model_config = ConfigDict(extra="forbid")
    model: bool = True
    praise: list[_Text] = []
    blame: list[_Text] = []


class Topic(BaseModel):
    """Something that texts speak of, and the words that say so."""

    model_config = ConfigDict(extra="forbid")
    id: _Id
    en: _Text
    zh: _Text
    words: Annotated[list[_Text], Field(min_length=1)]


class DomainFile(BaseModel):
    """A domain as it is written."""

    model_config = ConfigDict(extra="forbid")
    name: _Id
    labels: Labels = Labels()
    sentiment: SentimentWords = SentimentWords()
    topics: Annotated[list[Topic], Field(min_length=1, max_length=_MOST_TOPICS)]


class Domain:
    """A domain, ready to read texts.

    Attributes:
        name: Of the domain.
        labels: What the moods are called.
        topics: In the order of the file.
        uses_model: Whether the model of reviews reads the mood too.
        polarity: Folded words that judge, and which way.
    """

    def __init__(self, file: DomainFile) -> None:
        self.name = file.name
        self.labels = file.labels
        self.topics = tuple(file.topics)
        self.uses_model = file.sentiment.model
        self.polarity: Mapping[str, float] = dict.fromkeys(
            map(fold, file.sentiment.blame), -1.0
        ) | dict.fromkeys(map(fold, file.sentiment.praise), 1.0)
        self._patterns = [(topic.id, _pattern(topic.words)) for topic in self.topics]

    def topics_of(self, text: str) -> tuple[str, ...]:
        """Returns the topics that a folded text speaks of, in the order of the file."""
        return tuple(name for name, pattern in self._patterns if pattern.search(text))


def read_domain(path: Path) -> Domain:
    """Reads a domain's file.

    Raises:
        DomainFileError: It is not of the form; the text says where.
        OSError: It cannot be read.
    """
    try:
        file = DomainFile.model_validate(tomllib.loads(path.read_text("utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DomainFileError(f"{path}: {where}: {first['msg']}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DomainFileError(f"{path}: {error}") from error
    ids = [topic.id for topic in file.topics]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise DomainFileError(f"{path}: topics: {twice[0]} stands twice")
    both = {fold(w) for w in file.sentiment.praise} & {fold(w) for w in file.sentiment.blame}
    if both:
        raise DomainFileError(f"{path}: sentiment: {min(both)} is praise and blame")
    spaced = [w for w in (*file.sentiment.praise, *file.sentiment.blame) if " " in w]
    if spaced:
        raise DomainFileError(f"{path}: sentiment: {spaced[0]!r} is more than one word")
    return Domain(file)


def domain_path(name: str) -> Path:
    """Returns the file of a domain that comes along, or the path that was given."""
    bundled = DATA / f"{name}.toml"
    return bundled if bundled.is_file() else Path(name)


def _pattern(words: Sequence[str]) -> re.Pattern[str]:
    folded = sorted({fold(word) for word in words}, key=lambda word: (-len(word), word))
    latin = [re.escape(word) for word in folded if word.isascii()]
    parts = [re.escape(word) for word in folded if not word.isascii()]
    if latin:
        parts.append(rf"(?<![a-z0-9])(?:{'|'.join(latin)})s?(?![a-z0-9])")
    return re.compile("|".join(parts))
