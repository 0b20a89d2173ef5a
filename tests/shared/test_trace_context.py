import pytest

from shared.trace_context import TraceParent

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("header", "sampled"),
    [
        (f"00-{TRACE}-{SPAN}-01", True),
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-03", True),
        (f"cc-{TRACE}-{SPAN}-01-what-comes", True),  # a version to come may say more
    ],
)
def test_valid_headers(header, sampled):
    assert TraceParent.parse(header) == TraceParent(TRACE, SPAN, sampled=sampled)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        b"\x00",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01\n",
    ],
)
def test_invalid_headers_start_a_new_trace(header):
    assert TraceParent.parse(header) is None


def test_a_new_one_is_valid_and_sampled_by_nobody():
    new = TraceParent.new()
    assert TraceParent.parse(new.header()) == new
    assert not new.sampled
