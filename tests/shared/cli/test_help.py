import subprocess
import sys

import pytest

from shared.cli.app import main

COMMANDS = [
    ("up",),
    ("down",),
    ("status",),
    ("search",),
    ("explain",),
    ("recommend",),
    ("complete",),
    ("parse",),
    ("summarise",),
    ("assistant", "ask"),
    ("assistant", "import"),
    ("assistant", "correct"),
    ("assistant", "learnt"),
    ("assistant", "forget"),
    ("eval", "support"),
    ("tags",),
    ("tags", "vocabulary"),
    ("tags", "train"),
    ("tags", "propose"),
    ("catalogue", "check"),
    ("catalogue", "fix"),
    ("import",),
    ("products", "get"),
    ("products", "list"),
    ("products", "delete"),
    ("events", "write"),
    ("events", "import"),
    ("experiment", "report"),
    ("eval", "search"),
    ("label",),
    ("label", "export"),
    ("label", "agreement"),
    ("eval", "nlu"),
    ("eval", "recommend"),
    ("eval", "ranking-logs"),
    ("train", "nlu"),
    ("train", "reason"),
    ("train", "ranking"),
    ("train", "federated", "prepare"),
    ("train", "federated", "run"),
    ("train", "federated", "publish"),
    ("eval", "federated"),
    ("evaluate", "nlu"),
    ("plan",),
    ("security", "init"),
    ("security", "key"),
    ("security", "audit", "verify"),
    ("reindex",),
    ("backup", "create"),
    ("backup", "list"),
    ("backup", "verify"),
    ("backup", "restore"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_has_a_summary_and_an_example(capsys, command):
    assert main([*command, "--help"]) == 0
    out = capsys.readouterr().out
    usage, _, rest = out.partition("\n\n")
    assert usage.startswith(f"Usage: wherefore {' '.join(command)}")
    assert rest.splitlines()[0].endswith((".", ","))
    assert f"    wherefore {' '.join(command)}" in rest


def test_the_list_of_commands_has_their_summaries(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for command in {command[0] for command in COMMANDS}:
        (line,) = [line for line in out.splitlines() if line.startswith(f"│ {command} ")]
        assert line.strip("│ ").removeprefix(command).strip(), command


def test_help_loads_nothing_heavy():
    heavy = ("grpc", "numpy", "google.protobuf", "pydantic", "structlog", "onnxruntime")
    code = (
        "import sys; from shared.cli.app import main; main(['--help']); "
        f"sys.exit(', '.join(sorted({heavy!r} & sys.modules.keys())))"
    ).replace(repr(heavy), repr(set(heavy)))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert not done.stderr.strip(), done.stderr
