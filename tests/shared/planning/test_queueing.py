"""The formulas, against values that are known."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.planning.fits import affine, power
from shared.planning.one_machine import answers_per_second, delay_ms
from shared.planning.queueing import erlang_c, wait


def test_erlang_c_of_tables():
    # Cooper, "Introduction to Queueing Theory": 2 servers at 1 erlang 1/3, 10 at 8 erlangs 0.409.
    assert erlang_c(2, 1.0) == pytest.approx(1 / 3)
    assert erlang_c(10, 8.0) == pytest.approx(0.409, abs=0.001)
    assert erlang_c(1, 0.7) == pytest.approx(0.7)


def test_one_server_is_pollaczek_khinchine():
    rate, service, scv = 60.0, 10.0, 0.5
    busy = rate * service / 1e3
    expected = busy / (1 - busy) * service * (1 + scv) / 2
    assert wait(rate, service, 1, scv).mean_ms == pytest.approx(expected)
    assert wait(rate, service, 1, scv).probability == pytest.approx(busy)


def test_exponential_service_is_m_m_c():
    found = wait(160.0, 50.0, 10, 1.0)
    assert found.mean_ms == pytest.approx(erlang_c(10, 8.0) * 50 / (10 - 8))


def test_more_than_can_be_served_waits_for_ever():
    assert math.isinf(wait(101.0, 10.0, 1, 1.0).mean_ms)
    assert wait(0.0, 10.0, 1, 1.0).mean_ms == 0


@given(
    st.floats(0.1, 0.9),
    st.floats(0.5, 50),
    st.integers(1, 64),
    st.floats(0, 4),
    st.floats(0.01, 0.09),
)
def test_waits_grow_with_load_and_shrink_with_servers(busy, service, servers, scv, more):
    rate = busy * servers / service * 1e3
    base = wait(rate, service, servers, scv)
    assert wait(rate * (1 + more), service, servers, scv).mean_ms >= base.mean_ms
    assert wait(rate, service, servers + 1, scv).mean_ms <= base.mean_ms + 1e-12
    assert wait(rate, service, servers, scv + 1).mean_ms >= base.mean_ms


def test_a_closed_loop_is_bounded_by_both_laws():
    cpu = {"one": 30.0, "other": 10.0}
    assert answers_per_second(cpu, 1, 2, 10) == pytest.approx(1e3 / 50)
    assert answers_per_second(cpu, 200, 2, 10) == pytest.approx(2e3 / 40, rel=0.01)
    rates = [answers_per_second(cpu, n, 2, 10) for n in range(1, 20)]
    assert rates == sorted(rates)
    assert all(rate <= min(n * 1e3 / 50, 2e3 / 40) + 1e-9 for n, rate in enumerate(rates, 1))


def test_the_delay_is_a_line_through_what_one_and_what_some_clients_got():
    cpu = {"one": 30.0, "other": 10.0}
    rate = answers_per_second(cpu, 4, 2, 17.0)
    delays = [delay_ms(cpu, 4, 2, rate, alone_ms=45.0, others=others) for others in range(8)]
    assert delays[0] == pytest.approx(45.0 - 40.0)
    assert delays[3] == pytest.approx(17.0)
    assert delays == pytest.approx([5.0 + 4.0 * others for others in range(8)])


def test_no_delay_is_below_none():
    cpu = {"one": 30.0, "other": 10.0}
    most = 2e3 / 40  # more than four clients can have of two processors
    assert delay_ms(cpu, 4, 2, most, alone_ms=45.0, others=3) == 0
    assert delay_ms(cpu, 4, 2, most, alone_ms=45.0, others=7) == 0
    assert delay_ms(cpu, 4, 2, most, alone_ms=35.0, others=0) == 0


def test_lines_find_what_made_the_points():
    sizes = (2_000, 20_000, 200_000)
    line = affine({n: 100 + 0.002 * n for n in sizes})
    assert (line.base, line.each) == (pytest.approx(100), pytest.approx(0.002))
    curve = power({n: 0.5 * n**0.4 for n in sizes})
    assert (curve.at(1), curve.exponent) == (pytest.approx(0.5), pytest.approx(0.4))


@example({2142: 1.0, 2976: 320146.0})
@example({1_000_000: 0.1, 1_000_001: 1e6})
@given(st.dictionaries(st.integers(1_000, 10**7), st.floats(0.1, 1e6), min_size=1, max_size=6))
def test_no_line_falls_or_goes_below_nothing(points):
    for line in (affine(points), power(points)):
        values = [line.at(10.0**digit) for digit in range(2, 9)]
        assert values == sorted(values)
        assert values[0] >= 0
