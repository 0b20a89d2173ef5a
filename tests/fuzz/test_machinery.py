"""The fuzzer itself: what it makes, and that it notices what it is there to notice."""

from pathlib import Path
from random import Random

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet
from google.rpc.code_pb2 import INVALID_ARGUMENT
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status

from benchmarks.fuzz_suite import faults_logged
from tests.fuzz.cases import Case, Start, make_case
from tests.fuzz.client import Outcome
from tests.fuzz.envelope import metadata
from tests.fuzz.leaks import leaks
from tests.fuzz.messages import random_message
from tests.fuzz.methods import Method, all_methods
from tests.fuzz.mutations import mutated
from tests.fuzz.oracle import problems
from tests.fuzz.paths import names_a_field
from tests.fuzz.values import Known
from tests.fuzz.wire import mutated_fields, put_together, taken_apart, varint
from wherefore.common.v1.product_pb2 import Product
from wherefore.nlu.v1.nlu_service_pb2 import ParseResponse
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.orchestrator.v1.product_service_pb2 import ProductServiceImportRequest
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest

METHODS = {method.short: method for method in all_methods()}
PARSE = METHODS["nlu.NluService.Parse"]
SEARCH = METHODS["orchestrator.SearchService.Search"]


def chance(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - the same in every run


def test_the_same_seed_makes_the_same_call():
    for method in METHODS.values():
        first, second = (make_case(chance(7), method, Start((), Known())) for _ in range(2))
        assert first == second


def test_every_field_is_filled_sooner_or_later():
    seen: set[str] = set()

    def note(message: Message, prefix: str) -> None:
        for field, value in message.ListFields():
            seen.add(prefix + field.name)
            if field.type == FieldDescriptor.TYPE_MESSAGE and not field.is_repeated:
                note(value, f"{prefix}{field.name}.")

    for number in range(200):
        note(random_message(chance(number), SearchRequest, Known()), "")
    fields = {field.name for field in SearchRequest.DESCRIPTOR.fields}
    assert fields | {"user.user_id", "read_mask.paths"} <= seen


def test_enums_get_numbers_that_they_do_not_have():
    scopes = {random_message(chance(n), SearchRequest, Known()).facet_scope for n in range(300)}
    assert {0, 1, 2, 99, -1} <= scopes


def test_a_mutation_changes_a_copy():
    seed = SearchRequest(query="blue cup", page_size=3)
    kept = SearchRequest(query="blue cup", page_size=3)
    changed = [mutated(chance(number), seed, Known()) for number in range(50)]
    assert seed == kept
    assert sum(one != seed for one in changed) > 30


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("products[3].price.amount", True),
        ("products", True),
        ('products[0].attributes["a \\" ]."].texts[1]', True),
        ("products[0].titles.en", True),
        ('products[0].titles["en"]', True),
        ("products[0].prices", False),
        ("products[0].price.amount.value", False),
        ("product", False),
        ("", False),
        ("products[0]..id", False),
    ],
)
def test_paths(path: str, there: bool):
    assert names_a_field(path, ProductServiceImportRequest.DESCRIPTOR) is there


@pytest.mark.parametrize(
    "text",
    [
        'Traceback (most recent call last):\n  File "x.py", line 3, in f',
        "cannot open /work/data/x",
        "KeyError: 'a'",
        "services.nlu.server failed",
        "<Product object at 0x7f3a2b1c>",
        "expected str, got ['a', 'b']",
        "could not connect to 127.0.0.1:7701",
        "invalid literal for int() with base 10",
        "qdrant is gone",
    ],
)
def test_leaks_are_noticed(text: str):
    assert leaks([text])


@pytest.mark.parametrize(
    "text",
    [
        'products[3].attributes["colour"].texts[0]: must not be empty',
        "at character 7: a value is missing",
        "no product 'a/b' in the catalogue",
        "must be 0 to 1,000",
        'is no BCP-47 tag: give one such as "en" or "zh-CN", or none',
    ],
)
def test_texts_for_people_are_no_leaks(text: str):
    assert leaks([text]) == []


def test_an_echo_is_no_leak():
    assert leaks(["unknown field 'os.path.KeyError'"], sent="filter: os.path.KeyError = 1") == []
    assert leaks(["no product 'audio-002{' here"], sent="id: audio-002{") == []
    assert leaks(["no product '{' in the catalogue"], sent="\n\x01{") == []
    assert leaks(["Product has no field 'title{'"], sent="\x06title{") == []
    assert leaks(["no product 'a\\u2fde猫{' here"], sent="a\u2fde猫{") == []
    assert leaks(["no product {'a\\u2fde猫': 1} here"], sent="a\u2fde猫")
    assert leaks(["no product {'audio-002': 1}"], sent="id: audio-002{")
    assert leaks(["no product '' but {'audio-002': 1}"], sent="id: audio-002{")


def outcome(code: grpc.StatusCode, message: str = "", field: str | None = None) -> Outcome:
    status = Status(code=INVALID_ARGUMENT, message=message)
    if field is not None:
        bad = BadRequest()
        bad.field_violations.add(field=field, description="is bad")
        status.details.add().Pack(bad)
    return Outcome(code, message, None if code is grpc.StatusCode.OK else status, (), 0.0)


def case(method: Method, message: Message) -> Case:
    return Case(method, (message.SerializeToString(),))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (outcome(grpc.StatusCode.INTERNAL, "internal error"), "ended with INTERNAL"),
        (outcome(grpc.StatusCode.UNKNOWN, "x"), "ended with UNKNOWN"),
        (outcome(grpc.StatusCode.UNAVAILABLE, "x"), "ended with UNAVAILABLE"),
        (outcome(grpc.StatusCode.INVALID_ARGUMENT, "no"), "names no field"),
        (outcome(grpc.StatusCode.INVALID_ARGUMENT, "no", "qury"), "no such field"),
        (outcome(grpc.StatusCode.INVALID_ARGUMENT, "", "query"), "without a message"),
        (outcome(grpc.StatusCode.OK), "empty answer"),
    ],
)
def test_bad_answers_are_noticed(answer: Outcome, told: str):
    found = problems(case(SEARCH, SearchRequest(query="x")), answer)
    assert any(told in one for one in found), found


def test_a_good_refusal_passes():
    answer = outcome(grpc.StatusCode.INVALID_ARGUMENT, "query: is bad", "query")
    assert problems(case(SEARCH, SearchRequest()), answer) == []


def test_numbers_that_are_none_are_noticed():
    response = ParseResponse(
        understanding=QueryUnderstanding(query="x", language_confidence=float("nan"))
    )
    answer = Outcome(grpc.StatusCode.OK, "", None, (response,), 0.0)
    (found,) = problems(case(PARSE, SearchRequest(query="x")), answer)
    assert found == "understanding.language_confidence is not finite"


def test_a_row_names_a_field_of_the_row():
    method = METHODS["orchestrator.ProductService.Import"]
    request = ProductServiceImportRequest(products=[Product()])
    for field, good in (("price.amount", True), ("vector_source", False)):
        response = method.response()
        response.errors.add(row=1, field=field, reason="is bad")  # type: ignore[attr-defined]
        answer = Outcome(grpc.StatusCode.OK, "", None, (response,), 0.0)
        assert (problems(case(method, request), answer) == []) is good


def test_a_message_taken_apart_is_put_together_again():
    for method in METHODS.values():
        for number in range(20):
            raw = random_message(chance(number), method.request, Known()).SerializeToString()
            assert put_together(taken_apart(raw)) == raw


def test_numbers_may_be_longer_than_they_need():
    assert varint(300) == b"\xac\x02"
    assert varint(1, padding=2) == b"\x81\x80\x00"
    padded = varint(3 << 3) + varint(7, padding=4)  # page_size
    assert SearchRequest.FromString(padded).page_size == 7


def test_fields_are_changed_on_the_wire():
    raw = SearchRequest(query="cup", page_size=3, user={"user_id": "u"}).SerializeToString()
    valid = broken = unknown = 0
    for number in range(400):
        data = mutated_fields(chance(number), raw, SearchRequest.DESCRIPTOR)
        try:
            message = SearchRequest.FromString(data)
        except DecodeError:
            broken += 1
            continue
        valid += 1
        unknown += len(UnknownFieldSet(message)) > 0
    assert valid > 150
    assert broken > 50
    assert unknown > 50


def test_calls_carry_metadata_that_a_client_can_send():
    made = [metadata(chance(number)) for number in range(3000)]
    keys = {key for one in made for key, _ in one}
    assert {"x-request-id", "traceparent", "authorization-bin", "x-many-7"} <= keys
    assert sum(map(bool, made)) < 400
    for key, value in (entry for one in made for entry in one):
        assert isinstance(value, bytes) == key.endswith("-bin")


def test_a_call_that_had_too_little_time_is_no_fault():
    late = outcome(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
    request = SearchRequest(query="x").SerializeToString()
    assert problems(Case(SEARCH, (request,), timeout=0.01), late) == []
    assert problems(Case(SEARCH, (request,)), late)


def test_streams_are_long_now_and_then():
    method = METHODS["orchestrator.UserEventService.Import"]
    counts = [
        len(make_case(chance(number), method, Start((), Known())).requests) for number in range(500)
    ]
    assert min(counts) == 0
    assert max(counts) >= 300


def test_faults_in_logs_are_counted(tmp_path: Path):
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "nlu.log").write_text('{"level": "warning"}\n{"event": "x", "level": "error"}\n')
    (logs / "reason.log").write_text("Task exception was never retrieved\n")
    kept = tmp_path / "faults.log"
    assert faults_logged(tmp_path, kept) == {"nlu": 1, "reason": 1}
    assert kept.read_text().count("\n") == 2
