"""Tokens: what was altered by a single bit is refused."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.tokens import PageToken, TokenSigner, load_key
from shared.errors import InvalidArgumentError

SIGNER = TokenSigner(b"k" * 32)
TOKENS = st.builds(PageToken, st.text(max_size=40), st.integers(0, 2**31), st.integers(0, 2**40))


@given(TOKENS, st.data())
def test_a_flipped_bit_is_never_accepted(token: PageToken, data: st.DataObject) -> None:
    text = SIGNER.page(token, "request")
    assert SIGNER.read_page(text, "request") == token
    altered = bytearray(text.encode())
    bit = data.draw(st.integers(0, len(altered) * 8 - 1))
    altered[bit // 8] ^= 1 << (bit % 8)
    with pytest.raises(InvalidArgumentError):
        SIGNER.read_page(altered.decode("latin-1"), "request")


@given(TOKENS, st.data())
def test_a_flipped_bit_of_the_bytes_is_never_accepted(
    token: PageToken, data: st.DataObject
) -> None:
    text = SIGNER.page(token, "request")
    raw = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << (bit % 8)
    with pytest.raises(InvalidArgumentError):
        SIGNER.read_page(base64.urlsafe_b64encode(raw).rstrip(b"=").decode(), "request")


@pytest.mark.parametrize("text", ["", "forged", "é", "=" * 8, "A" * 5_000, "AAAA"])
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgumentError):
        SIGNER.read_page(text, "request")


def test_tokens_are_bound_to_request_purpose_and_key() -> None:
    page = SIGNER.page(PageToken("r", 1, 2), "request")
    attribution = SIGNER.attribution("r", "search", "cup", ["a", "b"])
    with pytest.raises(InvalidArgumentError):
        SIGNER.read_page(page, "another")
    with pytest.raises(InvalidArgumentError):
        SIGNER.read_attribution(page)
    with pytest.raises(InvalidArgumentError):
        SIGNER.read_page(attribution, "request")
    with pytest.raises(InvalidArgumentError):
        TokenSigner(b"j" * 32).read_attribution(attribution)
    assert SIGNER.read_attribution(attribution).serving_config == "search"


def test_the_key_is_made_once(tmp_path) -> None:
    key = load_key("", tmp_path)
    assert load_key("", tmp_path) == key
    assert (tmp_path / "token.key").stat().st_mode & 0o077 == 0


def test_a_key_is_changed_without_losing_the_tokens_that_are_out() -> None:
    old, new = b"o" * 32, b"n" * 32
    token = PageToken("ranking", 20, 7)
    out = TokenSigner(old).page(token, "request")
    signer = TokenSigner(new, [old])
    assert signer.read_page(out, "request") == token
    made = signer.page(token, "request")
    assert TokenSigner(new).read_page(made, "request") == token
    for key, text in ((new, out), (old, made)):
        with pytest.raises(InvalidArgumentError):
            TokenSigner(key).read_page(text, "request")
    with pytest.raises(ValueError, match="32 bytes"):
        TokenSigner(new, [b"short"])


def test_tenants_have_keys_and_folders_of_their_own(tmp_path) -> None:
    settings = OrchestratorSettings(
        data_dir=tmp_path, token_key="k" * 32, previous_token_keys=f"{'p' * 32} {'q' * 32}"
    )
    acme, bolt = settings.of_tenant("acme"), settings.of_tenant("bolt")
    keys = [each.token_key.get_secret_value() for each in (settings, acme, bolt)]
    before = [each.previous_token_keys.get_secret_value() for each in (settings, acme, bolt)]
    assert len({*keys, *before}) == 6
    assert [len(each.split()) for each in before] == [2, 2, 2]
    assert {each.data_dir for each in (acme, bolt)} == {
        tmp_path / "tenants" / "acme",
        tmp_path / "tenants" / "bolt",
    }
    assert settings.of_tenant("") is settings


def test_a_tenant_reads_its_own_pictures_alone(tmp_path):
    settings = OrchestratorSettings(pictures_dir=tmp_path)
    assert settings.of_tenant("acme").pictures_dir == tmp_path / "acme"
    assert OrchestratorSettings().of_tenant("acme").pictures_dir is None


def test_rules_of_one_shop_are_not_those_of_another(tmp_path) -> None:
    for name in ("rules.yaml", "experiments.yaml"):
        (tmp_path / name).touch()
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "rules.yaml").touch()
    settings = OrchestratorSettings(
        rules_file=tmp_path / "rules.yaml", experiments_file=tmp_path / "experiments.yaml"
    )
    acme, bolt = settings.of_tenant("acme"), settings.of_tenant("bolt")
    assert acme.rules_file == tmp_path / "acme" / "rules.yaml"
    assert (acme.experiments_file, bolt.rules_file, bolt.experiments_file) == (None, None, None)
