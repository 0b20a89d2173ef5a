"""Answer templates: what the shop says, with the facts and slots that fill it.

The file is YAML (`data/templates.yaml`); a shop edits it or names its own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from services.assistant.domain import LANGUAGES, Language
from shared.strict_model import StrictModel
from shared.yaml_file import read_yaml

BUNDLED: Final = Path(__file__).parent / "data" / "templates.yaml"
_PLACE: Final = re.compile(r"\{([a-z_]+)\}")


class Wording(StrictModel):
    """A template in one language."""

    questions: tuple[str, ...] = Field(min_length=1)
    answer: str = Field(min_length=1)


class SlotSpec(StrictModel):
    """What an answer may need of the customer, and how it is asked for."""

    kind: Literal["order", "text"]
    en: str
    zh: str

    def ask(self, language: Language) -> str:
        """Returns the question that asks for it."""
        return self.zh if language == "zh" else self.en


class Template(StrictModel):
    """One answer; `hands_over` when it says that a person goes on."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    intent: str = ""
    slots: tuple[str, ...] = ()
    hands_over: bool = False
    en: Wording
    zh: Wording

    def wording(self, language: Language) -> Wording:
        """Returns it in a language."""
        return self.zh if language == "zh" else self.en


class _File(StrictModel):
    facts: dict[str, dict[Language, str]]
    slots: dict[str, SlotSpec]
    templates: tuple[Template, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        ids = [template.id for template in self.templates]
        if repeated := {each for each in ids if ids.count(each) > 1}:
            raise ValueError(f"ids stand twice: {', '.join(sorted(repeated))}")
        for name, values in self.facts.items():
            if set(values) != set(LANGUAGES):
                raise ValueError(f"facts.{name} must have en and zh")
        for template in self.templates:
            if unknown := set(template.slots) - set(self.slots):
                raise ValueError(f"{template.id}: no slots {', '.join(sorted(unknown))}")
            known = {*template.slots, *self.facts}
            for language in LANGUAGES:
                places = set(_PLACE.findall(template.wording(language).answer))
                if unknown := places - known:
                    raise ValueError(f"{template.id}.{language}: nothing fills {sorted(unknown)}")
        return self


@dataclass(frozen=True, slots=True)
class Templates:
    """All templates by id, with what fills them."""

    by_id: Mapping[str, Template]
    slots: Mapping[str, SlotSpec]
    facts: Mapping[str, Mapping[Language, str]]

    def missing(self, template: Template, given: Mapping[str, str]) -> str:
        """Returns the first slot that is needed and not given; "" when there is none."""
        return next((name for name in template.slots if not given.get(name)), "")

    def fill(self, template: Template, language: Language, given: Mapping[str, str]) -> str:
        """Returns the answer with its slots and facts filled.

        Raises:
            KeyError: A slot is not given; ask `missing` first.
        """
        values = {name: fact[language] for name, fact in self.facts.items()} | dict(given)
        return _PLACE.sub(lambda found: values[found[1]], template.wording(language).answer)


def read_templates(path: Path = BUNDLED) -> Templates:
    """Reads a file of templates.

    Raises:
        YamlFileError: It cannot be read, or is wrong.
    """
    file = read_yaml(path, _File)
    return Templates({each.id: each for each in file.templates}, file.slots, file.facts)
