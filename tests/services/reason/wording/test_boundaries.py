"""What serving imports."""

import subprocess
import sys

_SERVING = "import services.reason.server, sys; print(*sys.modules)"


def test_serving_imports_nothing_of_the_training() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", _SERVING], check=True, capture_output=True, text=True, timeout=120
    ).stdout.split()
    assert "services.reason.wording.grammar" in loaded
    assert not [name for name in loaded if name.startswith("services.reason.train")]
    assert "torch" not in loaded
