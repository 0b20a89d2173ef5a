"""`wherefore terms`: files are checked, and prices shown, without a suite."""

import json

import pytest

from shared.cli import main

TERMS = """
currency: EUR
groups:
  - {id: trade, discounts: [{brand: Acme, percent: 10, breaks: {100: 20}}]}
accounts:
  - {id: acme, group: trade, prices: [{product: cup, price: 7.9, step: 6}]}
"""


@pytest.fixture
def terms(tmp_path):
    path = tmp_path / "terms.yaml"
    path.write_text(TERMS)
    return path


def test_a_file_is_checked(terms, tmp_path, capsys):
    assert main(["terms", "check", str(terms)]) == 0
    assert capsys.readouterr().out == "2 accounts and groups, 1 prices\n"
    prices = tmp_path / "prices.jsonl"
    prices.write_text('{"for": "trade", "product": "cup", "price": 8}\n')
    assert main(["terms", "check", str(terms), "--prices", str(prices), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"parties": 2, "prices": 2}
    prices.write_text('{"for": "trade", "product": "cup", "price": 8}\n' * 2)
    assert main(["terms", "check", str(terms), "--prices", str(prices)]) == 1
    assert "prices.jsonl, line 2: product: 'cup' is there twice" in capsys.readouterr().err
    terms.write_text(TERMS.replace("7.9", "free"))
    assert main(["terms", "check", str(terms)]) == 1
    assert "accounts.0.prices.0.price" in capsys.readouterr().err


def test_what_an_account_is_asked_is_shown(terms, capsys):
    asked = ["terms", "price", str(terms), "--account", "acme"]
    assert main([*asked, "--product", "cup"]) == 0
    assert capsys.readouterr().out == "7.9 EUR (contract of acme)\nat least 6, in steps of 6\n"
    pan = [*asked, "--product", "pan", "--list-price", "20 EUR", "--brand", "acme"]
    assert main(pan) == 0
    told = "18.0 EUR (discount of trade)\n16.0 EUR from 100 on\nat least 1, in steps of 1\n"
    assert capsys.readouterr().out == told
    assert main([*pan, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unitPrice"]["amount"] == 18.0
    assert main([*asked, "--product", "pan"]) == 0
    assert capsys.readouterr().out.startswith("no price\n")


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--account", "bolt", "--product", "cup"], 1, "no account or group 'bolt'"),
        (["--account", "acme", "--product", "p", "--list-price", "dear"], 2, "is no price"),
    ],
)
def test_what_is_wrong_is_told(terms, capsys, options, code, said):
    assert main(["terms", "price", str(terms), *options]) == code
    assert said in capsys.readouterr().err
