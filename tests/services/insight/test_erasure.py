"""Texts are sealed at rest, and go when who wrote them is erased; what they counted stays."""

import sqlite3
from contextlib import asynccontextmanager

import grpc
import pytest

from services.insight.domain import Mood, Series, Whose
from services.insight.mentions import MentionStore
from shared.privacy.sealing import add_key
from tests.services.insight.serving import TEXTS, ingest, running, serving
from tests.services.insight.streams import burst, in_order, quiet
from tests.services.insight.test_server import SURGE, fields_of
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.insight.v1 import insight_service_pb2 as pb
from wherefore.insight.v1 import text_service_pb2 as texts
from wherefore.insight.v1.text_service_pb2_grpc import TextServiceStub

EVERYTHING = Series("all", "")
MAX = UserContext(user_id="max")
ALL = pb.QueryAggregatesRequest(step_seconds=3600)


@asynccontextmanager
async def both(folder):
    """Runs a service and gives the stubs of both of its services."""
    async with (
        running(folder) as (server, stub),
        grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        yield stub, TextServiceStub(channel)


def written():
    """The posts of a surge; those of the surge itself are max's, from a site."""
    posts = []
    for at, post in enumerate(SURGE):
        made = type(post).FromString(post.SerializeToString())
        if made.id.startswith("b"):
            made.user_id, made.source_id = "max", "site-7"
            made.text = f"{TEXTS[Mood.NEGATIVE]}, number {at} says max mustermann"
        posts.append(made)
    return posts


async def exported(stub, **fields):
    request = texts.ExportTextsRequest(**fields)
    return [each async for part in stub.ExportTexts(request) for each in part.texts]


async def notices(stub, place=0):
    """All notices that are kept."""
    stream = stub.SubscribeAlerts(pb.SubscribeAlertsRequest(after_sequence=place), timeout=10)
    first = await stream.read()
    found = []
    last = (await newest(stub)).sequence
    while first.sequence < last:
        first = await stream.read()
        found.append(first.notice)
    stream.cancel()
    return found


async def newest(stub):
    stream = stub.SubscribeAlerts(pb.SubscribeAlertsRequest(after_sequence=-1), timeout=10)
    first = await stream.read()
    stream.cancel()
    return first


async def test_an_erased_writer_is_gone_and_the_counts_stay(tmp_path):
    posts = written()
    theirs = [post for post in posts if post.user_id]
    async with both(tmp_path) as (stub, text_stub):
        await ingest(stub, posts)
        before = await stub.QueryAggregates(ALL, timeout=5)
        (alert,) = (await stub.ListAlerts(pb.ListAlertsRequest(), timeout=5)).alerts
        assert "mustermann" in alert.examples[0].text
        assert "mustermann" in str(await notices(stub))
        found = await exported(text_stub, user=MAX)
        assert [each.id for each in found] == [post.id for post in theirs]
        assert found[0].text == theirs[0].text
        by_source = await exported(text_stub, source_ids=["site-7", "none"])
        assert by_source == found
        request = texts.EraseTextsRequest(user=MAX)
        assert (await text_stub.EraseTexts(request)).erased_count == len(theirs)
        assert (await text_stub.EraseTexts(request)).erased_count == 0
        assert await exported(text_stub, user=MAX, source_ids=["site-7"]) == []
        assert await stub.QueryAggregates(ALL, timeout=5) == before
        (left,) = (await stub.ListAlerts(pb.ListAlertsRequest(), timeout=5)).alerts
        assert (left.id, left.negative_count) == (alert.id, alert.negative_count)
        assert "mustermann" not in str(left)
        told = await notices(stub)
        assert told
        assert all(not each.alert.examples for each in told)
        again = await ingest(stub, theirs)
        assert again.duplicate_count == len(theirs)
    async with serving(tmp_path) as stub:
        assert await stub.QueryAggregates(ALL, timeout=5) == before
        (after,) = (await stub.ListAlerts(pb.ListAlertsRequest(), timeout=5)).alerts
        assert (after.id, after.negative_count) == (alert.id, alert.negative_count)
        assert (await newest(stub)).sequence == len(told)


async def test_texts_are_erased_by_their_own_ids_too(tmp_path):
    posts = written()
    async with both(tmp_path) as (stub, text_stub):
        await ingest(stub, posts)
        wanted = [posts[3].id, posts[1].id]
        found = await exported(text_stub, text_ids=wanted, user=MAX)
        assert len(found) == 2 + sum(post.user_id == "max" for post in posts)
        request = texts.EraseTextsRequest(text_ids=[*wanted, "none"])
        assert (await text_stub.EraseTexts(request)).erased_count == 2
        assert await exported(text_stub, text_ids=wanted) == []


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, "user.user_id"),
        ({"user": UserContext(session_id="visit")}, "user.user_id"),
        ({"user": UserContext(user_id="u" * 257)}, "user.user_id"),
        ({"source_ids": ["x"] * 1001}, "source_ids"),
        ({"text_ids": ["x", ""]}, "text_ids"),
    ],
)
async def test_bad_requests_name_the_field(tmp_path, fields, named):
    async with both(tmp_path) as (_, stub):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.EraseTexts(texts.EraseTextsRequest(**fields))
        assert fields_of(caught.value) == [named]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await exported(stub, **fields)
        assert fields_of(caught.value) == [named]


def kept_in(folder):
    return b"".join(each.read_bytes() for each in folder.iterdir())


def test_no_text_and_no_id_of_one_is_in_the_file(tmp_path):
    path = tmp_path / "mentions.sqlite"
    store = MentionStore(path)
    mentions = in_order(quiet(1, 5), burst(2, 1, 20))
    store.append(mentions)
    store.close()
    kept = kept_in(tmp_path)
    assert b"screen cracked" not in kept
    assert mentions[0].id.encode() not in kept
    store = MentionStore(path)
    assert {each.text for each in store.negatives(EVERYTHING, 0, 2**60, 5)}
    assert next(each for batch in store.replay() for each in batch).cell == mentions[0].cell
    store.close()
    path.with_suffix(".key").unlink()
    with pytest.raises(ValueError, match="key file"):
        MentionStore(path)


def test_keys_are_rotated_beside_the_file_or_elsewhere(tmp_path):
    keys = tmp_path / "keys" / "insight.key"
    mentions = quiet(1, 5)
    store = MentionStore(tmp_path / "mentions.sqlite", keys)
    store.append(mentions)
    store.close()
    added = add_key(keys)
    MentionStore(tmp_path / "mentions.sqlite", keys).close()
    keys.write_text(next(line for line in keys.read_text().splitlines() if added in line) + "\n")
    store = MentionStore(tmp_path / "mentions.sqlite", keys)
    whose = Whose(text_ids=(mentions[0].id,))
    assert [each for _, each in store.find(whose, 0, 5)] == mentions[:1]
    store.close()
    assert not (tmp_path / "mentions.key").exists()


def test_a_file_of_before_is_sealed_at_the_first_start(tmp_path):
    path = tmp_path / "mentions.sqlite"
    mentions = in_order(quiet(1, 160), burst(120, 10, 120))
    with sqlite3.connect(path) as file:
        file.executescript(
            "CREATE TABLE mentions (sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL"
            " UNIQUE, at INTEGER NOT NULL, topics TEXT NOT NULL, product TEXT NOT NULL, brand TEXT"
            " NOT NULL, mood TEXT NOT NULL, score REAL NOT NULL, language TEXT NOT NULL, text TEXT"
            " NOT NULL); CREATE TABLE alerts (id TEXT PRIMARY KEY, told TEXT NOT NULL);"
            "CREATE TABLE notices (sequence INTEGER PRIMARY KEY AUTOINCREMENT, alert TEXT NOT NULL,"
            " body BLOB NOT NULL);"
            "CREATE TABLE places (name TEXT PRIMARY KEY, sequence INTEGER NOT NULL);"
        )
        for each in mentions:
            topics = "".join(f"|{topic}" for topic in each.cell.topics) + "|"
            cell = (topics, each.cell.product_id, each.cell.brand)
            row = (each.id, each.at_ms, *cell, each.mood.value, 0.5, "en", each.text)
            file.execute(
                "INSERT INTO mentions (id, at, topics, product, brand, mood, score, language, text)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        file.execute("INSERT INTO notices (alert, body) VALUES ('a1', ?)", (b"a plain example",))
    file.close()
    store = MentionStore(path)
    counted = [each for batch in store.replay() for each in batch]
    assert [(e.at_ms, e.cell, e.mood) for e in counted] == [
        (e.at_ms, e.cell, e.mood) for e in mentions
    ]
    found = store.negatives(EVERYTHING, 0, 2**60, 500)
    texts_kept = {each.id: each.text for each in found}
    assert texts_kept == {e.id: e.text for e in mentions if e.mood is Mood.NEGATIVE}
    assert store.book.after(0, 5) == [(1, b"a plain example")]
    assert store.append(mentions[:3]) == [False] * 3
    store.close()
    kept = kept_in(tmp_path)
    for plain in (b"screen cracked", b"a plain example", mentions[0].id.encode()):
        assert plain not in kept
    MentionStore(path).close()  # nothing is left to take over


def test_what_is_too_old_goes_from_notices_too(tmp_path):
    store = MentionStore(tmp_path / "mentions.sqlite")
    mentions = quiet(1, 60)
    store.append(mentions)
    store.book.tell([("a1", "told", b"examples")])
    asked = []

    def rewrite(body, gone):
        asked.append((body, gone("any", mentions[0].at_ms), gone("any", mentions[-1].at_ms)))
        return b"none"

    middle = mentions[len(mentions) // 2].at_ms
    dropped = store.drop_before(middle, rewrite)
    assert dropped == sum(each.at_ms < middle for each in mentions)
    assert asked == [(b"examples", True, False)]
    assert store.book.after(0, 5) == [(1, b"none")]
    assert store.drop_before(middle, rewrite) == 0
    assert len(asked) == 1
    store.close()
