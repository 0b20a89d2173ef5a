"""Files of rules: what they may hold, and how faults are told."""

from pathlib import Path

import pytest

from services.orchestrator.merchandising.__main__ import main
from services.orchestrator.merchandising.rule_file import RuleFileError, parse_rules, read_rules

GOOD = """\
rules:
  - id: sandals-first
    when:
      query_terms: [sandals, 凉鞋]
      since: 2026-05-01T00:00:00Z
      until: 2026-09-01T00:00:00+02:00
    boost: {filter: 'category: "Shoes"', strength: 0.5}
  - {id: old, bury: {products: [p1, p2], strength: 1}}
  - {id: top, when: {queries: [summer shoes]}, pin: {product: p3, position: 2}}
  - {id: gone, block: {products: [p4], filter: "tags: recalled"}}
  - {id: sofa, synonyms: {terms: [sofa, couch]}}
  - {id: phone, synonyms: {from: [cell], to: [mobile phone], weight: 0.7}}
  - {id: there, filter: in_stock = true}
  - {id: help, when: {queries: [returns]}, redirect: /help/returns}
"""


def test_a_good_file() -> None:
    rules = parse_rules(GOOD)
    assert [rule.action for rule in rules] == [
        "boost", "bury", "pin", "block", "synonyms", "synonyms", "filter", "redirect",
    ]  # fmt: skip
    assert rules[3].block is not None
    assert rules[3].block.condition == '(id: ("p4") OR (tags: recalled))'
    assert rules[5].synonyms is not None
    assert rules[5].synonyms.sources == ("cell",)


@pytest.mark.parametrize("text", ["", "rules: []", "# nothing\n", "rules:\n"[:-1] + " []\n"])
def test_no_rules(text: str) -> None:
    assert parse_rules(text) == ()


def rule(action: str) -> str:
    return f"rules:\n  - id: a\n    {action}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rules: [", "line 1: "),
        ("rules:\n  - id: a\n   pin: {}\n", "line 3: "),
        ("rule: []", "line 1: rule: Extra inputs"),
        ("- a", "line 1: Input should be"),
        (rule("pin: {product: p, position: 0}"), "line 3: rules[0].pin.position: Input"),
        (rule("pin:\n      product: p\n      position: x"), "line 5: rules[0].pin.position: "),
        (rule("boost: {products: [p], strength: 1.5}"), "line 3: rules[0].boost.strength: "),
        (rule("boost: {strength: 0.5}"), "line 3: rules[0].boost: name products"),
        (rule("filter: 'price <'"), "line 3: rules[0].filter: at character 8"),
        (rule("redirect: javascript:x"), "line 3: rules[0].redirect: must be an http(s)"),
        (rule("redirect: //elsewhere"), "line 3: rules[0].redirect: must be"),
        (rule("synonyms: {terms: [a]}"), "line 3: rules[0].synonyms: give two or more"),
        (rule("synonyms: {terms: [a, b], to: [c]}"), "line 3: rules[0].synonyms: give"),
        (rule("when: {since: 2026-01-01T00:00:00}"), "rules[0].when.since: Input should have"),
        (
            rule("when:\n      since: 2026-02-01T00:00:00Z\n      until: 2026-01-01T00:00:00Z"),
            "line 3: rules[0].when: since must be before until",
        ),
        (rule("when: {}"), "line 2: rules[0]: needs exactly one of"),
        (rule("filter: a = b\n    redirect: /x"), "not filter and redirect"),
        (rule("filter: a = b") + "  - id: a\n    filter: c = d\n", "line 4: rules[1].id: 'a' is"),
        (rule("id: b"), "line 3: 'id' is there twice"),
        ("rules: &x\n  - *x\n", "refers to itself"),
        ("rules:\n  - id: 5\n    filter: a = b\n", "line 2: rules[0].id: Input should be a valid"),
        ("? [a]\n: 1\n", "line 1: a key must be a word"),
        ("rules: [{id: a, [b]: 1}]", "line 1: a key must be a word"),
        ("rules: " + "[" * 5_000, "line 1: "),
        ("rules: !!python/object:os.system {}", "line 1: could not determine a constructor"),
    ],
)
def test_faults_are_told_with_their_line(text: str, expected: str) -> None:
    with pytest.raises(RuleFileError) as error:
        parse_rules(text)
    assert expected in str(error.value)
    assert str(error.value).startswith("line ")


def test_aliases_are_not_multiplied() -> None:
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    with pytest.raises(RuleFileError, match="line 1: a0: Extra inputs"):
        parse_rules("\n".join(lines))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(RuleFileError, match=r"rules.yaml: No such file"):
        read_rules(tmp_path / "rules.yaml")
    (tmp_path / "rules.yaml").write_bytes(b"rules: []\n# \xff\n")
    with pytest.raises(RuleFileError, match=r"rules.yaml, line 2: is not UTF-8"):
        read_rules(tmp_path / "rules.yaml")


def test_the_check_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(GOOD)
    assert main([str(path)]) == 0
    assert capsys.readouterr().out == "8 rules\n"
    path.write_text("rules:\n  - id: a\n")
    assert main([str(path)]) == 1
    assert capsys.readouterr().err.startswith("rules.yaml, line 2: rules[0]: needs exactly one of")
