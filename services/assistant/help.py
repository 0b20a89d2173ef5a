"""Help articles: paragraphs that answer questions, quoted word for word."""

from pathlib import Path
from typing import Final, Self

from pydantic import Field, model_validator

from services.assistant.domain import Citation, Language
from shared.strict_model import StrictModel
from shared.yaml_file import read_yaml

BUNDLED: Final = Path(__file__).parent / "data" / "help.yaml"
PREFIX: Final = "help."


class PassageText(StrictModel):
    """A paragraph in one language, with questions that it answers."""

    questions: tuple[str, ...] = Field(min_length=1)
    text: str = Field(min_length=1)


class Paragraph(StrictModel):
    """A paragraph in both languages."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    en: PassageText
    zh: PassageText

    def wording(self, language: Language) -> PassageText:
        """Returns it in a language."""
        return self.zh if language == "zh" else self.en


class Article(StrictModel):
    """A help article."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    title: dict[Language, str]
    paragraphs: tuple[Paragraph, ...] = Field(min_length=1)


class Help(StrictModel):
    """All articles."""

    articles: tuple[Article, ...]

    @model_validator(mode="after")
    def _unique(self) -> Self:
        ids = [passage_id(a, p) for a in self.articles for p in a.paragraphs]
        if len(set(ids)) < len(ids):
            raise ValueError("ids of articles or of their paragraphs stand twice")
        return self

    def find(self, answer_id: str) -> tuple[Article, Paragraph]:
        """Returns the paragraph of an id that `passage_id` made.

        Raises:
            KeyError: There is none.
        """
        for article in self.articles:
            for paragraph in article.paragraphs:
                if passage_id(article, paragraph) == answer_id:
                    return article, paragraph
        raise KeyError(answer_id)

    def quote(self, answer_id: str, language: Language) -> tuple[str, Citation]:
        """Returns a paragraph's words with where they stand.

        Raises:
            KeyError: There is no such paragraph.
        """
        article, paragraph = self.find(answer_id)
        text = paragraph.wording(language).text
        field = f"{paragraph.id}.{language}"
        return text, Citation("help", article.id, field, text, text)


def passage_id(article: Article, paragraph: Paragraph) -> str:
    """Returns the id of a paragraph as an answer."""
    return f"{PREFIX}{article.id}.{paragraph.id}"


def read_help(path: Path = BUNDLED) -> Help:
    """Reads a file of articles.

    Raises:
        YamlFileError: It cannot be read, or is wrong.
    """
    return read_yaml(path, Help)
