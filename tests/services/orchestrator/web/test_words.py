"""Both languages of the page say the same things."""

import json
import re
import shutil
import subprocess

import pytest

from services.assistant.server import FALLBACKS
from services.assistant.templates import read_templates
from services.orchestrator.web.app import PAGES, STATIC
from services.ranking.explain import LABELS, LOWERED
from services.reason.templates import TEMPLATES

NODE = shutil.which("node")
SCRIPT = """
const [en, zh] = await Promise.all(process.argv.slice(1).map((f) => import(f)));
const shape = (value) => typeof value === "object"
  ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, shape(v)])) : typeof value;
console.log(JSON.stringify([shape(en.default), shape(zh.default)]));
"""


@pytest.fixture(scope="module")
def shapes():
    if NODE is None:
        pytest.skip("Node.js is not installed")
    files = [(STATIC / f"words_{code}.js").as_uri() for code in ("en", "zh")]
    done = subprocess.run(
        [NODE, "--no-warnings", "--input-type=module", "-e", SCRIPT, *files],
        capture_output=True,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


def test_both_languages_have_the_same_words(shapes):
    # Features have the service's own labels in English.
    own = {"features": {}, "lowered": {}, "chatIntents": {}}
    english, chinese = ({**shape, **own} for shape in shapes)
    assert english == chinese


def test_every_feature_has_chinese_words(shapes):
    assert set(shapes[1]["features"]) == set(LABELS)
    assert set(shapes[1]["lowered"]) == set(LOWERED)


def test_every_concern_and_every_loss_of_customer_service_has_chinese_words(shapes):
    intents = {each.intent for each in read_templates().by_id.values()} - {""}
    assert set(shapes[1]["chatIntents"]) == intents
    assert set(shapes[1]["chatLosses"]) == set(FALLBACKS) | {"assistant.vectors"}


def test_every_word_that_is_asked_for_exists(shapes):
    sources = [file.read_text() for file in STATIC.rglob("*.js")]
    asked = {word for text in sources for word in re.findall(r'\bt\("(\w+)"\)', text)}
    for page in PAGES.values():
        asked |= set(re.findall(r'data-(?:text|label)="(\w+)"', (STATIC / page).read_text()))
    assert asked
    assert asked <= set(shapes[0])


def test_every_kind_of_claim_has_words(shapes):
    # As the code itself it would be shown with underscores taken out.
    assert set(TEMPLATES["en"]) <= set(shapes[0]["kinds"])
