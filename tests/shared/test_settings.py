"""Settings from a folder of secrets."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from shared.settings import SECRETS_DIR_VARIABLE, ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="TOY_")

    port: int = 0
    secret: SecretStr = SecretStr("")


def test_a_secret_stands_in_a_file_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "toy_secret").write_text("from a file\n")
    (tmp_path / "other").write_text("is nobody's")
    assert not Settings().secret.get_secret_value()
    monkeypatch.setenv(SECRETS_DIR_VARIABLE, str(tmp_path))
    assert Settings().secret.get_secret_value() == "from a file"
    assert "from a file" not in repr(Settings())
    monkeypatch.setenv("TOY_SECRET", "from the environment")
    assert Settings().secret.get_secret_value() == "from the environment"
