import pytest


def test_a_refused_request_names_the_field(running):
    done = running.run("search", "phone", "--page-size", "-1")
    assert done.code == 2
    assert done.out == ""
    assert done.err.splitlines() == [
        "error: the request was refused",
        "  page_size: must not be negative",
    ]


def test_an_unavailable_part_says_when_to_try_again(running):
    done = running.run("search", "down", "--json")
    assert done.code == 3
    assert done.out == ""
    assert "retrieval cannot be reached" in done.err
    assert "try again in 2 s" in done.err
    assert "Traceback" not in done.err


def test_a_suite_that_is_down_says_what_to_run(running):
    running.target = "127.0.0.1:1"
    done = running.run("search", "phone", "--timeout", "5")
    assert done.code == 3
    assert "wherefore up" in done.err


def test_what_does_not_exist_fails(running):
    done = running.run("products", "get", "absent")
    assert done.code == 1
    assert done.err == "error: not found: no product absent\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("serch", "phone"),
        ("search",),
        ("search", "phone", "--page-size", "many"),
        ("search", "phone", "--no-such-option"),
        ("recommend",),
        ("products", "delete"),
        ("events", "write", "teleport", "p-1"),
    ],
)
def test_wrong_command_lines_exit_with_two(capsys, arguments):
    from shared.cli.app import main

    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")


def test_an_error_nobody_foresaw_keeps_its_traceback(monkeypatch):
    from shared.cli import failures
    from shared.cli.app import main

    def broken(_arguments):
        raise ZeroDivisionError

    monkeypatch.setattr(failures, "report_usage", broken)
    with pytest.raises(ZeroDivisionError):
        main(["serch"])


def test_interrupting_is_quiet(monkeypatch, capsys):
    import asyncio

    from shared.cli.app import main

    def interrupted(coroutine):
        coroutine.close()
        raise KeyboardInterrupt

    monkeypatch.setattr(asyncio, "run", interrupted)
    assert main(["search", "phone"]) == 130
    assert capsys.readouterr().err == "interrupted\n"
