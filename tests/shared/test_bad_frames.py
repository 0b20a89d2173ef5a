"""What no gRPC client sends is refused by gRPC itself, or by us; the next call is answered.

Codes of a call that is broken below its message are gRPC's own, INTERNAL among them, and come
before any code of ours: they must not hang, hold memory or tell of the program.
"""

import asyncio
import gzip
import zlib

import psutil
import pytest

from tests.fuzz.frames import Answer, call, frame, headers
from tests.fuzz.leaks import leaks
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest

PARSE = "/wherefore.nlu.v1.NluService/Parse"
GOOD = frame(ParseRequest(query="blue cup").SerializeToString())
OK, CANCELLED, INVALID, LATE, EXHAUSTED, UNIMPLEMENTED, INTERNAL = 0, 1, 3, 4, 8, 12, 13
SOON = ("grpc-timeout", "300m")
"""Of calls that never send a whole message: gRPC waits for the rest of it."""

CALLS = {
    "good": (headers(PARSE), GOOD, {OK}),
    "timeout of 9,999 years": (headers(PARSE, ("grpc-timeout", "99999999H")), GOOD, {OK}),
    "timeout of nothing": (headers(PARSE, ("grpc-timeout", "0S")), GOOD, {CANCELLED, LATE}),
    "timeout without a unit": (headers(PARSE, ("grpc-timeout", "1")), GOOD, {INTERNAL}),
    "timeout below zero": (headers(PARSE, ("grpc-timeout", "-1S")), GOOD, {INTERNAL}),
    "timeout that is none": (headers(PARSE, ("grpc-timeout", "soon")), GOOD, {INTERNAL}),
    "nothing sent": (headers(PARSE, SOON), b"", {CANCELLED, LATE}),
    "half a message": (headers(PARSE, SOON), GOOD[:-3], {CANCELLED, LATE}),
    "half a frame's head": (headers(PARSE, SOON), GOOD[:3], {CANCELLED, LATE}),
    "a length past all bounds": (headers(PARSE, SOON), b"\0\xff\xff\xff\xffabc", {EXHAUSTED, LATE}),
    "many messages for one": (headers(PARSE), GOOD * 1000, {OK, UNIMPLEMENTED}),
    "a flag that means nothing": (headers(PARSE), frame(b"\x0a\x01a", 7), {OK, INVALID, INTERNAL}),
    "compressed by nothing": (headers(PARSE), frame(b"\x0a\x01a", 1), {OK, INVALID, INTERNAL}),
    "gzip": (
        headers(PARSE, ("grpc-encoding", "gzip")),
        frame(gzip.compress(GOOD[5:]), 1),
        {UNIMPLEMENTED},
    ),
    "deflate": (
        headers(PARSE, ("grpc-encoding", "deflate")),
        frame(zlib.compress(GOOD[5:]), 1),
        {UNIMPLEMENTED},
    ),
    "no gzip at all": (
        headers(PARSE, ("grpc-encoding", "gzip")),
        frame(b"abc", 1),
        {UNIMPLEMENTED, INTERNAL},
    ),
    "an unknown encoding": (
        headers(PARSE, ("grpc-encoding", "../../x")),
        GOOD,
        {UNIMPLEMENTED, INTERNAL},
    ),
    "bytes that are no base64": (headers(PARSE, ("x-a-bin", "!!")), GOOD, {INTERNAL}),
    "a header in capitals": (headers(PARSE, ("X-A", "a")), GOOD, {OK, INTERNAL}),
    "a header that is no ASCII": (headers(PARSE, ("x-request-id", "\xff\xfe")), GOOD, {OK}),
    "one header twice": (
        headers(PARSE, ("x-request-id", "a"), ("x-request-id", "b"), ("x-priority", "batch")),
        GOOD,
        {OK},
    ),
    "a status in a request": (
        headers(PARSE, ("grpc-status", "2"), ("grpc-message", "x"), ("traceparent", "00-zz")),
        GOOD,
        {OK},
    ),
    "400 headers": (headers(PARSE, *((f"x-{n}", "a") for n in range(400))), GOOD, {OK, EXHAUSTED}),
    "200 kB of headers": (
        # gRPC refuses by chance between a soft limit and a hard one.
        headers(PARSE, *((f"x-{n}", "a" * 10_000) for n in range(20))),
        GOOD,
        {OK, EXHAUSTED},
    ),
    "a message of 17 MiB": (
        headers(PARSE),
        frame(b"\x0a\x80\x80\x80\x08" + b"a" * (17 << 20)),
        {EXHAUSTED},
    ),
    "no such method": (headers("/wherefore.nlu.v1.NluService/Drop"), GOOD, {UNIMPLEMENTED}),
    "no such service": (headers("/a.B/C"), GOOD, {UNIMPLEMENTED}),
    "no path": (headers(""), GOOD, {UNIMPLEMENTED}),
    "a path with steps back": (headers(f"{PARSE}/../x\xff"), GOOD, {UNIMPLEMENTED}),
    "a long path": (headers("/" + "a" * 6000), GOOD, {UNIMPLEMENTED}),
    "JSON": (headers(PARSE, content_type="application/grpc+json"), frame(b"{}"), {INVALID}),
}
CUT = {
    "GET": headers(PARSE, method="GET"),
    "PUT": headers(PARSE, method="PUT"),
    "no trailers wanted": headers(PARSE, te=None),
}


async def sent(port: int, name: str) -> Answer:
    head, body, _ = CALLS[name]
    return await asyncio.to_thread(call, port, head, body)


@pytest.mark.parametrize("name", CALLS)
async def test_bad_calls_are_refused_and_the_next_is_answered(launch, name):
    server = await launch()
    answer = await sent(server.port, name)
    assert answer.code in CALLS[name][2], answer
    assert not answer.was_cut
    assert not leaks([answer.fields.get("grpc-message", "")])
    assert (await sent(server.port, "good")).code == OK


@pytest.mark.parametrize("name", CUT)
async def test_what_is_no_call_is_cut_off(launch, name):
    server = await launch()
    assert (await asyncio.to_thread(call, server.port, CUT[name], GOOD)).was_cut
    assert (await sent(server.port, "good")).code == OK


async def test_what_unpacks_to_gigabytes_takes_no_memory(launch):
    packer = zlib.compressobj(9, wbits=31)
    nothing = bytes(1 << 20)
    bomb = b"".join([*(packer.compress(nothing) for _ in range(600)), packer.flush()])
    assert len(bomb) < 1 << 20
    server = await launch()
    process = psutil.Process()
    before = process.memory_info().rss
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, process.memory_info().rss - before)
            await asyncio.sleep(0.005)

    watching = asyncio.create_task(watch())
    head = headers(PARSE, ("grpc-encoding", "gzip"))
    answer = await asyncio.to_thread(call, server.port, head, frame(bomb, 1))
    watching.cancel()
    assert answer.code == UNIMPLEMENTED
    assert most < 100 << 20
