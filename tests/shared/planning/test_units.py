from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.planning import units


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("50M", 50e6),
        ("2k", 2000),
        ("20000", 20_000),
        ("20,000", 20_000),
        ("1.5B", 1.5e9),
        ("1_0", 10),
    ],
)
def test_counts(text, value):
    assert units.count(text, "--qps") == value


@pytest.mark.parametrize(
    ("text", "value"), [("120ms", 120), ("0.12s", 120), (" 1.5 s ", 1500), ("1min", 60_000)]
)
def test_durations(text, value):
    assert units.milliseconds(text, "--p99") == pytest.approx(value)


def test_shares_and_memory():
    assert units.share("80%", "--cache-hits") == pytest.approx(0.8)
    assert units.share("0.8", "--cache-hits") == pytest.approx(0.8)
    assert units.gibibytes("2TiB", "--node-memory") == 2048


@pytest.mark.parametrize(
    ("read", "text", "hint"),
    [
        (units.count, "fifty", "50M"),
        (units.count, "-3", "50M"),
        (units.count, "50MB", "50M"),
        (units.count, "0", "between 1"),
        (units.milliseconds, "120", "120ms"),
        (units.milliseconds, "120 parsecs", "120ms"),
        (units.share, "120%", "between 0 and 1"),
        (units.gibibytes, "64", "64GiB"),
        (units.count, "", "50M"),
    ],
)
def test_what_is_no_quantity_names_the_flag_and_what_to_give(read, text, hint):
    with pytest.raises(units.PlanInputError, match=r"^--some-flag: ") as caught:
        read(text, "--some-flag")
    assert hint in str(caught.value)
    assert caught.value.flag == "--some-flag"


@given(st.text(max_size=12))
def test_no_text_breaks_a_reader(text):
    for read in (units.count, units.milliseconds, units.share, units.gibibytes):
        with suppress(units.PlanInputError):
            assert read(text, "--flag") >= 0


@given(st.integers(1, 10**9))
def test_a_plain_number_is_itself(value):
    assert units.count(str(value), "--qps") == value
    assert units.count(f"{value:,}", "--qps") == value
