"""The vocabulary as a person edits it: TOML, a table a key.

[colour]
categories = [["Shoes"], ["Bags", "Backpacks"]]   # all when absent

[colour.values]
"black" = ["black", "黑色"]
"khaki" = { forms = ["khaki", "卡其色"], categories = [["Shoes"]] }

[selling_point.values]
"waterproof" = ["waterproof", "防水"]

[praise.value_for_money]
en = "good value for money"
zh = "性价比高"
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path as FilePath
from typing import Any, Final, cast

from services.reason.summarise.points import aspects
from services.reason.tags.vocabulary import Path, Term, TermId, Vocabulary
from shared.durable_file import write_durably

PRAISE: Final = "praise"
MAX_TERMS: Final = 20_000
MAX_FORM: Final = 200
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_HEAD: Final = """\
# Vocabulary of tags. A value is a tag; the list behind it is how texts write it, in any language.
# Take a line out and the tag is never given; add a form and it is found. `categories` limits a key
# or a value to paths: categories = [["Shoes"], ["Bags", "Backpacks"]].
# The service reads this file again when it changes.
"""


class VocabularyError(ValueError):
    """A file is no vocabulary; says where and why."""


def read_vocabulary(path: FilePath) -> Vocabulary:
    """Reads a file.

    Raises:
        VocabularyError: It cannot be read, or says something else than a vocabulary.
    """
    try:
        data = path.read_bytes()
        table = tomllib.loads(data.decode("utf-8"))
    except OSError as error:
        raise VocabularyError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:  # not UTF-8, or not TOML
        raise VocabularyError(f"{path}: {error}") from error
    try:
        return parse_vocabulary(table, hashlib.sha256(data).hexdigest()[:12])
    except VocabularyError as error:
        raise VocabularyError(f"{path}: {error}") from error


def parse_vocabulary(table: Mapping[str, Any], version: str = "") -> Vocabulary:
    """Returns the vocabulary of a table.

    Raises:
        VocabularyError: It says something else than a vocabulary.
    """
    terms: dict[TermId, Term] = {}
    for key, said in table.items():
        if key == PRAISE:
            continue
        part = _table(said, key)
        if unknown := set(part) - {"categories", "values"}:
            raise VocabularyError(f"{key}: knows no {', '.join(sorted(unknown))}")
        categories = _paths(part.get("categories", []), f"{key}.categories")
        for value, forms in _table(part.get("values", {}), f"{key}.values").items():
            term = _term(key, value, forms, categories)
            terms[term.id] = term
    if len(terms) > MAX_TERMS:
        raise VocabularyError(f"has {len(terms):,} values; at most {MAX_TERMS:,} are kept")
    return Vocabulary(tuple(terms.values()), _praise(table.get(PRAISE, {})), version)


def write_vocabulary(path: FilePath, vocabulary: Vocabulary) -> None:
    """Writes a file that `read_vocabulary` reads to the same terms.

    Raises:
        OSError: It cannot be written.
    """
    write_durably(path, format_vocabulary(vocabulary).encode("utf-8"))


def format_vocabulary(vocabulary: Vocabulary) -> str:
    """Returns the text of the file."""
    by_key: dict[str, list[Term]] = {}
    for term in vocabulary.terms:
        by_key.setdefault(term.key, []).append(term)
    lines = [_HEAD]
    for key, terms in by_key.items():
        shared = _shared_categories(terms)
        if shared:
            lines += [f"[{_key(key)}]", f"categories = {_array(shared)}", ""]
        lines.append(f"[{_key(key)}.values]")
        for term in terms:
            forms = json.dumps(list(term.forms), ensure_ascii=False)
            if term.categories and term.categories != shared:
                forms = f"{{ forms = {forms}, categories = {_array(term.categories)} }}"
            lines.append(f"{_string(term.value)} = {forms}")
        lines.append("")
    for code, labels in vocabulary.praise.items():
        lines.append(f"[{PRAISE}.{_key(code)}]")
        lines += [f"{language} = {_string(label)}" for language, label in labels.items()]
        lines.append("")
    return "\n".join(lines)


def _shared_categories(terms: Iterable[Term]) -> tuple[Path, ...]:
    """The categories of a key, where every value has some: of most of its values."""
    counts: dict[tuple[Path, ...], int] = {}
    for term in terms:
        if not term.categories:
            return ()
        counts[term.categories] = counts.get(term.categories, 0) + 1
    return max(counts, key=lambda each: counts[each]) if counts else ()


def _term(key: str, value: str, said: object, categories: tuple[Path, ...]) -> Term:
    where = f'{key}.values."{value}"'
    if isinstance(said, dict):
        said = cast("dict[str, object]", said)
        if unknown := set(said) - {"forms", "categories"}:
            raise VocabularyError(f"{where}: knows no {', '.join(sorted(unknown))}")
        categories = _paths(said.get("categories", []), f"{where}.categories") or categories
        said = said.get("forms", [])
    forms = _strings(said, where)
    if any(not form.strip() or len(form) > MAX_FORM for form in forms):
        raise VocabularyError(f"{where}: a form has 1 to {MAX_FORM} characters")
    if not key.strip() or not value.strip():
        raise VocabularyError(f"{where}: key and value must not be blank")
    return Term(key, value, forms, categories)


def _praise(said: object) -> dict[str, dict[str, str]]:
    known = {aspect.code for aspect in aspects()}
    found: dict[str, dict[str, str]] = {}
    for code, labels in _table(said, PRAISE).items():
        where = f"{PRAISE}.{code}"
        if code not in known:
            raise VocabularyError(f"{where}: no aspect; there are {', '.join(sorted(known))}")
        table = _table(labels, where)
        if set(table) != {"en", "zh"} or not all(isinstance(v, str) for v in table.values()):
            raise VocabularyError(f"{where}: needs the labels en and zh")
        found[code] = {language: str(label) for language, label in table.items()}
    return found


def _table(said: object, where: str) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise VocabularyError(f"{where}: must be a table")
    return cast("dict[str, Any]", said)


def _strings(said: object, where: str) -> tuple[str, ...]:
    if not isinstance(said, list):
        raise VocabularyError(f"{where}: must be a list of texts")
    items = cast("list[object]", said)
    if not all(isinstance(item, str) for item in items):
        raise VocabularyError(f"{where}: must be a list of texts")
    return tuple(cast("list[str]", items))


def _paths(said: object, where: str) -> tuple[Path, ...]:
    if not isinstance(said, list):
        raise VocabularyError(f"{where}: must be a list of paths, each a list of texts")
    paths = tuple(_strings(path, where) for path in cast("list[object]", said))
    if not all(paths):
        raise VocabularyError(f"{where}: a path names at least one level")
    return paths


def _array(paths: Iterable[Path]) -> str:
    return json.dumps([list(path) for path in paths], ensure_ascii=False)


def _key(text: str) -> str:
    return text if _BARE.fullmatch(text) else _string(text)


def _string(text: str) -> str:
    # JSON's strings are TOML's basic strings, but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
