"""Reads a file of rules (YAML); what is wrong with it is told with its line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from services.orchestrator.merchandising.rules import Rule, RuleFile
from shared.model_faults import first_fault

MAX_BYTES: Final = 5_000_000


class RuleFileError(ValueError):
    """A file of rules that cannot be used; says where and why."""


def read_rules(path: Path) -> tuple[Rule, ...]:
    """Returns the rules of a file, in its order.

    Raises:
        RuleFileError: The file cannot be read, or is wrong.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise RuleFileError(f"{path.name}: {error.strerror or error}") from error
    if len(data) > MAX_BYTES:
        raise RuleFileError(f"{path.name}: larger than {MAX_BYTES:,} bytes")
    try:
        return parse_rules(data.decode())
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RuleFileError(f"{path.name}, line {line}: is not UTF-8") from error
    except RuleFileError as error:
        raise RuleFileError(f"{path.name}, {error}") from error


def parse_rules(text: str) -> tuple[Rule, ...]:
    """Returns the rules of a text.

    Raises:
        RuleFileError: It is wrong; the first fault is told, with its line.
    """
    loader: Any = yaml.SafeLoader(text)
    try:
        root: Any = loader.get_single_node()
        if root is None:
            return ()
        _check_keys(root)
        document: Any = loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise RuleFileError(f"line {line}: {error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RuleFileError(f"line 1: {error}") from error
    finally:
        loader.dispose()
    try:
        rules = RuleFile.model_validate(document).rules
    except ValidationError as error:
        path, message = first_fault(error)
        where = _written(path)
        line = _line(root, path)
        raise RuleFileError(f"line {line}: {where + ': ' if where else ''}{message}") from error
    _check_ids(rules, root)
    return rules


def _check_keys(node: Any, inside: tuple[int, ...] = (), done: set[int] | None = None) -> None:
    """Raises for a key that is there twice, of which YAML would keep the last in silence."""
    done = set() if done is None else done
    if id(node) in inside:
        raise RuleFileError(f"line {node.start_mark.line + 1}: refers to itself")
    if id(node) in done:  # an alias: looked at once, however often it is used
        return
    done.add(id(node))
    inside = (*inside, id(node))
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise RuleFileError(f"line {line}: a key must be a word")
            if key.value in seen:
                raise RuleFileError(f"line {line}: {key.value!r} is there twice")
            seen.add(key.value)
            _check_keys(value, inside, done)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _check_keys(value, inside, done)


def _check_ids(rules: Sequence[Rule], root: Any) -> None:
    seen: set[str] = set()
    for number, rule in enumerate(rules):
        if rule.id in seen:
            line = _line(root, ("rules", number, "id"))
            raise RuleFileError(f"line {line}: rules[{number}].id: {rule.id!r} is there twice")
        seen.add(rule.id)


def _line(root: Any, path: Sequence[str | int]) -> int:
    """Returns the line of the innermost node on a path that is there."""
    node, line = root, root.start_mark.line + 1
    for step in path:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == step), None)
            if found is None:
                break
            key, node = found
            line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _written(path: Sequence[str | int]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")
