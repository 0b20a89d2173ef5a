import json
import logging

import pytest
import structlog

from shared.logging import configure_logging


def test_json_lines_on_standard_error(capsys):
    configure_logging("info", "json")
    structlog.get_logger().info("call", code="OK", text="水壶")
    structlog.get_logger().debug("hidden")
    logging.getLogger("some.library").warning("careful")
    captured = capsys.readouterr()
    assert captured.out == ""
    ours, theirs = map(json.loads, captured.err.splitlines())
    assert (ours["event"], ours["code"], ours["level"]) == ("call", "OK", "info")
    assert "水壶" in captured.err
    assert (theirs["event"], theirs["level"]) == ("careful", "warning")


def test_console_tracebacks_show_no_variables(capsys):
    configure_logging("info", "console")

    def fail(query: str) -> None:
        raise ValueError(len(query))

    try:
        fail("what " + "the user asked")
    except ValueError:
        structlog.get_logger().exception("failed")
    written = capsys.readouterr().err
    assert "ValueError: 19" in written
    assert "what the user asked" not in written


def test_an_unknown_level_is_refused():
    with pytest.raises(ValueError, match="loud"):
        configure_logging("loud")


def test_personal_data_is_masked_and_ids_of_requests_are_not(capsys):
    configure_logging("info", "json")
    log = structlog.get_logger()
    log.info("asked", text="call 138-1234-5678", request_id="13812345678", count=13812345678)
    try:
        int("bob@example.com")
    except ValueError:
        log.exception("failed for 4111 1111 1111 1111")
    logging.getLogger("some.library").warning("mail ann@example.com")
    first, second, third = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["text"], first["request_id"], first["count"]) == (
        "call [phone]",
        "13812345678",
        13812345678,
    )
    assert second["event"] == "failed for [bank account]"
    assert "[e-mail]" in second["exception"]
    assert "bob@" not in second["exception"]
    assert third["event"] == "mail [e-mail]"
