"""The file of rules is read again when it changes, and a bad one refused."""

import asyncio
import os
from pathlib import Path

import pytest

from services.orchestrator.merchandising.occasions import Occasion
from services.orchestrator.merchandising.rule_book import RuleBook

pytestmark = pytest.mark.asyncio


def ids(book: RuleBook) -> list[str]:
    return [rule.id for rule in book.matching(Occasion("search"))]


def write(path: Path, *names: str) -> None:
    path.write_text("rules:\n" + "".join(f"  - {{id: {n}, filter: price > 1}}\n" for n in names))


async def test_a_change_is_seen_and_a_bad_file_refused(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    write(path, "a")
    book = RuleBook(path)
    await book.look()
    assert (ids(book), book.problem) == (["a"], None)

    write(path, "a", "bb")
    await book.look()
    assert ids(book) == ["a", "bb"]

    path.write_text("rules:\n  - {id: a, filtr: x}\n")
    await book.look()
    assert ids(book) == ["a", "bb"]
    assert book.problem is not None
    assert book.problem.fallback == "the rules before"
    assert "rules.yaml, line 2" in book.problem.detail

    path.unlink()
    await book.look()
    assert ids(book) == ["a", "bb"]
    assert book.problem is not None
    assert "No such file" in book.problem.detail

    write(path, "c")
    await book.look()
    assert (ids(book), book.problem) == (["c"], None)


async def test_a_link_to_another_file_is_a_change(tmp_path: Path) -> None:
    for name in "xy":
        write(tmp_path / name, name)
        os.utime(tmp_path / name, (1, 1))
    link = tmp_path / "rules.yaml"
    link.symlink_to(tmp_path / "x")
    book = RuleBook(link)
    await book.look()
    link.unlink()
    link.symlink_to(tmp_path / "y")
    await book.look()
    assert ids(book) == ["y"]


async def test_without_a_good_file_there_are_no_rules(tmp_path: Path) -> None:
    book = RuleBook(tmp_path / "rules.yaml")
    await book.look()
    assert book.is_empty
    assert book.problem is not None
    assert book.problem.fallback == "no rules"
    await RuleBook(None).start()
    assert RuleBook(None).problem is None


async def test_it_is_watched(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    write(path, "a")
    book = RuleBook(path, poll_seconds=0.01)
    await book.start()
    write(path, "b", "c")
    for _ in range(1_000):
        if ids(book) == ["b", "c"]:
            break
        await asyncio.sleep(0.01)
    assert ids(book) == ["b", "c"]
    await book.close()
