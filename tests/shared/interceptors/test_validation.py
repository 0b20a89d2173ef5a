import math

import grpc
import numpy as np
import pytest
from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st

from shared.channel import open_channel
from shared.errors import error_from_rpc
from shared.interceptors.validation import MAX_VIOLATIONS, non_finite_fields
from tests.shared.toy_service import NLU, PRODUCTS, RETRIEVAL
from wherefore.common.v1.product_pb2 import AttributeValue, Price, Product
from wherefore.common.v1.user_profile_pb2 import UserProfile
from wherefore.common.v1.vector_pb2 import Vector
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest
from wherefore.orchestrator.v1.product_service_pb2 import ProductServiceImportRequest
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.retrieval.v1.retrieval_service_pb2 import IndexDocument, IndexRequest
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

BAD = b"\xff\xfe"


def _paths(message) -> list[str]:
    return [violation.field for violation in non_finite_fields(message)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none_are_found_at_any_depth(value):
    bad = Product(id="x", price=Price(amount=value))
    bad.attributes["size"].numbers.extend([1.0, value])
    good = Product(id="y", price=Price(amount=1e308, list_amount=1e308))
    message = ProductServiceImportRequest(products=[good, bad])
    assert sorted(_paths(message)) == [
        'products[1].attributes["size"].numbers[1]',
        "products[1].price.amount",
    ]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_short_floats_in_a_list_of_messages_are_found(value):
    message = IndexRequest(documents=[IndexDocument(vector=Vector(values=[0.5, value]))])
    assert _paths(message) == ["documents[0].vector.values[1]"]


def test_maps_vectors_and_recursive_messages():
    assert _paths(UserProfile(brand_affinities={"acme": math.nan, "b": 1.0})) == [
        'brand_affinities["acme"]'
    ]
    assert _paths(Vector(values=np.array([1, np.nan, 2], np.float32))) == ["values[1]"]
    nested = Struct()
    nested.update({"a": [{"b": math.nan}]})
    assert _paths(nested) == [
        'fields["a"].list_value.values[0].struct_value.fields["b"].number_value'
    ]


def test_large_numbers_whose_sum_overflows_are_fine():
    assert _paths(AttributeValue(numbers=[1.7e308, 1.7e308])) == []


def test_the_list_of_violations_is_short():
    assert len(_paths(Vector(values=[math.nan] * 1000))) == MAX_VIOLATIONS


@given(st.lists(st.floats(width=32), max_size=20))
def test_exactly_the_values_that_are_not_finite_are_named(values):
    expected = [f"values[{i}]" for i, value in enumerate(values) if not math.isfinite(value)]
    assert _paths(Vector(values=values)) == expected[:MAX_VIOLATIONS]


@given(st.lists(st.tuples(st.floats(), st.integers(0, 2**32 - 1)), max_size=8))
def test_no_bit_pattern_in_a_list_of_messages_slips_through(rows):
    bits = np.array([pattern for _, pattern in rows], np.uint32).view(np.float32)
    documents = [
        IndexDocument(
            product=Product(price=Price(amount=amount)), vector=Vector(values=bits[n : n + 1])
        )
        for n, (amount, _) in enumerate(rows)
    ]
    expected = {
        f"documents[{n}].product.price.amount"
        for n, (amount, _) in enumerate(rows)
        if not math.isfinite(amount)
    }
    expected |= {f"documents[{n}].vector.values[0]" for n in np.flatnonzero(~np.isfinite(bits))}
    assert set(_paths(IndexRequest(documents=documents))) == expected


def _field(number: int, payload: bytes) -> bytes:
    assert len(payload) < 128
    return bytes([number << 3 | 2, len(payload)]) + payload


async def _send(port: int, method: str, *raw: bytes, streaming: bool = False):
    """Sends bytes that no client library would; returns the violations answered."""
    async with open_channel(f"127.0.0.1:{port}") as channel:
        if streaming:
            sent = channel.stream_unary(method)(iter(raw), timeout=5)
        else:
            sent = channel.unary_unary(method)(raw[0], timeout=5)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await sent
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    return [(v.field, v.description) for v in error_from_rpc(raised.value).violations]


async def test_invalid_utf8_on_the_wire_names_its_field(launch):
    server = await launch()
    assert await _send(server.port, f"/{NLU}/Parse", _field(1, BAD)) == [
        ("query", "must be valid UTF-8")
    ]


async def test_invalid_utf8_deep_in_a_stream_names_path_and_message(launch):
    server = await launch()
    good = ProductServiceImportRequest(products=[Product(id="a")]).SerializeToString()
    bad = good + _field(1, _field(4, BAD))  # the second product's brand
    assert await _send(server.port, f"/{PRODUCTS}/Import", good, bad, streaming=True) == [
        ("products[1].brand", "must be valid UTF-8 (message 2 of the stream)")
    ]


async def test_bytes_that_are_no_message_at_all(launch):
    server = await launch()
    assert await _send(server.port, f"/{NLU}/Parse", b"\x0a\x7fshort") == [
        ("", "the bytes are not a valid ParseRequest")
    ]


async def test_a_nan_price_is_refused_with_its_path(launch):
    server = await launch()
    request = IndexRequest(documents=[IndexDocument(product=Product(price=Price(amount=math.nan)))])
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await RetrievalServiceStub(channel).Index(iter([request]), timeout=5)
    assert error_from_rpc(raised.value).violations[0].field == "documents[0].product.price.amount"


async def test_a_lenient_method_sees_the_bad_row_itself(launch, toy):
    toy.lenient_methods = frozenset({f"/{PRODUCTS}/Import"})
    server = await launch()
    request = ProductServiceImportRequest(products=[Product(price=Price(amount=math.nan))])
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        call = ProductServiceStub(channel).Import(iter([request]), timeout=5)
        assert len([_ async for _ in call]) == 1


async def test_empty_messages_are_fine(launch):
    server = await launch()
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        await channel.unary_unary(f"/{NLU}/Parse")(ParseRequest().SerializeToString(), timeout=5)
        await channel.stream_unary(f"/{RETRIEVAL}/Index")(iter(()), timeout=5)
