"""Idempotency keys; domain.md, section 8.9."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest

from resolvers.enrolments.booking import book
from resolvers.enrolments.commands import MoveEnrolment
from resolvers.enrolments.moving import move
from resolvers.every_kind.cancelling import CancelBooking, cancel
from resolvers.kept_refusals import refused_to_json
from resolvers.outcomes import Outcome
from resolvers.references import ByKey
from resolvers.refusals import Refused
from resolvers.storage import Idempotency, Storage
from resolvers.viewer import Viewer
from resolvers.vocabulary import CancellationReason
from tests.conftest import SettableClock
from tests.patience import PATIENCE
from tests.resolvers.storage.conftest import Opening, Receipts
from tests.resolvers.world import World, codes

pytestmark = pytest.mark.both_databases


def keyed(viewer: Viewer, key: str, run: Any, commands: Sequence[Any]) -> Idempotency:
    """A key as the mutations make it: the command and its whole input are its fingerprint."""
    content = f"{run.__module__}.{run.__qualname__} {list(commands)!r}"
    return Idempotency(
        organization_id=viewer.organization_id,
        viewer=viewer.key,
        key=key,
        fingerprint=sha256(content.encode()).hexdigest(),
    )


@pytest.fixture
async def event(world: World, centre: UUID, room: UUID) -> UUID:
    return await world.event(centre=centre, room=room, capacity_maximum=1)


async def ask(world: World, run: Any, command: Any, key: str = "k", **options: Any) -> Any:
    storage = options.pop("storage", world.storage)
    viewer = options.pop("viewer", command.viewer)
    given = keyed(viewer, key, run, [command])
    [result] = await storage.write(run, [command], idempotency=given, **options)
    return result


def cancelling(world: World, booking: UUID) -> CancelBooking:
    return CancelBooking(
        viewer=world.viewer, booking=ByKey(booking), reason=CancellationReason.WITHDRAWN
    )


def plain(outcome: Outcome) -> Outcome:
    """An outcome, whether replayed or not."""
    return replace(outcome, replayed=False)


async def test_the_same_key_and_input_book_once(world: World, event: UUID):
    """The second answer equals the first and says that it is replayed; there is one booking."""
    [candidate] = await world.candidates(1)
    command = world.booking(candidate, event)

    first = await ask(world, book, command)
    again = await ask(world, book, command)

    assert (first.replayed, again.replayed) == (False, True)
    assert plain(again) == first
    assert await world.booking_changes() == ["CREATED"]


async def test_other_input_under_a_key_is_refused(world: World, event: UUID):
    """The same key with another command of the same mutation is IDEMPOTENCY_KEY_REUSED."""
    one, two = await world.candidates(2)
    await ask(world, book, world.booking(one, event))

    refused = await ask(world, book, world.booking(two, event))

    assert codes(refused) == ["IDEMPOTENCY_KEY_REUSED"]
    assert refused.refusals[0].path == ("idempotency_key",)


async def test_another_mutation_is_other_input(world: World, event: UUID):
    """A key that booked cannot move, even if the input read the same."""
    [candidate] = await world.candidates(1)
    booked = await ask(world, book, world.booking(candidate, event))
    command = MoveEnrolment(
        viewer=world.viewer, enrolment=ByKey(booked.subject), to_event=ByKey(event)
    )

    assert codes(await ask(world, move, command)) == ["IDEMPOTENCY_KEY_REUSED"]


async def test_a_refusal_frees_its_key(world: World, event: UUID):
    """What was refused may be tried again under its key, with other input too."""
    one, two = await world.candidates(2)
    taken = await world.booked(one, event)
    command = world.booking(two, event)

    assert codes(await ask(world, book, command)) == ["EVENT_FULL"]
    assert codes(await ask(world, book, command)) == ["EVENT_FULL"]
    assert codes(await ask(world, cancel, cancelling(world, taken))) == []
    booked = await ask(world, book, command, key="other")
    assert codes(booked) == []


async def test_a_fault_frees_its_key(storage: Storage, viewer: Viewer, receipts: Receipts):
    """What broke left no claim behind."""
    key = Idempotency(viewer.organization_id, viewer.key, "k", "same")

    def broken(work: Any, commands: Sequence[Any]) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await storage.write(broken, [1], idempotency=key)

    [outcome] = await storage.write(receipts.write, ["a"], idempotency=key)
    assert isinstance(outcome, Outcome)
    assert not outcome.replayed


async def test_keys_of_two_viewers_do_not_meet(world: World, event: UUID):
    """Another viewer's equal key is another key, even for the same input and in the same batch."""
    one, two = await world.candidates(2)
    other = replace(world.viewer, key="user:other")

    first, second = await asyncio.gather(
        ask(world, book, world.booking(one, event)),
        ask(world, book, world.booking(two, event, viewer=other)),
    )

    assert codes(first) == []
    assert codes(second) == ["EVENT_FULL"]  # and not replayed, nor the key reused


async def test_a_key_counts_for_a_day(world: World, clock: SettableClock, receipts: Receipts):
    """At exactly 24 hours it still counts; a moment later it may be used for something else."""
    viewer, storage = world.viewer, world.storage
    key = keyed(viewer, "k", receipts.write, ["a"])
    other = keyed(viewer, "k", receipts.write, ["b"])
    await storage.write(receipts.write, ["a"], idempotency=key)

    clock.now += timedelta(hours=24)
    [replayed] = await storage.write(receipts.write, ["a"], idempotency=key)
    [reused] = await storage.write(receipts.write, ["b"], idempotency=other)
    clock.now += timedelta(microseconds=1)
    [fresh] = await storage.write(receipts.write, ["b"], idempotency=other)
    [again] = await storage.write(receipts.write, ["b"], idempotency=other)

    assert isinstance(replayed, Outcome)
    assert replayed.replayed
    assert isinstance(reused, Refused)
    assert isinstance(fresh, Outcome)
    assert not fresh.replayed
    assert isinstance(again, Outcome)
    assert again.replayed
    assert await receipts.written() == ["a", "b"]


async def test_one_key_for_a_batch(world: World, centre: UUID, room: UUID):
    """Several commands under one key are one input: replayed whole, or reused if one differs."""
    event = await world.event(centre=centre, room=room)
    bookings = [await world.booked(candidate, event) for candidate in await world.candidates(3)]
    commands = [
        CancelBooking(viewer=world.viewer, booking=ByKey(key), reason=CancellationReason.WITHDRAWN)
        for key in bookings
    ]

    async def ask_all(asked: Sequence[Any], **options: Any) -> list[Any]:
        given = keyed(world.viewer, "k", cancel, asked)
        return await world.storage.write(cancel, asked, idempotency=given, **options)

    first = await ask_all(commands, all_or_nothing=True)
    again = await ask_all(commands, all_or_nothing=True)
    fewer = await ask_all(commands[:2], all_or_nothing=True)

    assert [r.subject for r in first] == bookings
    assert [plain(r) for r in again] == first
    assert all(r.replayed for r in again)
    assert [codes(r) for r in fewer] == [["IDEMPOTENCY_KEY_REUSED"]]
    assert await world.booking_changes() == ["CREATED"] * 3 + ["CANCELLED"] * 3


async def test_a_batch_that_is_refused_in_part_keeps_its_key(world: World, event: UUID):
    """Of two commands one was refused: the key answers with both results, whatever is free now."""
    one, two = await world.candidates(2)
    commands = [world.booking(one, event), world.booking(two, event)]
    key = keyed(world.viewer, "k", book, commands)
    other = keyed(world.viewer, "k", book, commands[:1])

    booked, refused = await world.storage.write(book, commands, idempotency=key)
    await world.made(cancel, cancelling(world, booked.subject))
    again, refused_again = await world.storage.write(book, commands, idempotency=key)
    reused = await world.storage.write(book, commands[:1], idempotency=other)

    assert (plain(again), again.replayed) == (booked, True)
    assert refused_to_json(refused_again) == refused_to_json(refused)
    assert codes(refused_again) == ["EVENT_FULL"]
    assert [codes(r) for r in reused] == [["IDEMPOTENCY_KEY_REUSED"]]
    assert await world.booking_changes() == ["CREATED", "CANCELLED"]


async def test_a_batch_of_refusals_frees_its_key(world: World, event: UUID):
    """Nothing succeeded, so nothing is kept: the same key may come with other input."""
    one, two, three = await world.candidates(3)
    taken = await world.booked(one, event)
    commands = [world.booking(two, event), world.booking(three, event)]
    first = await world.storage.write(
        book, commands, idempotency=keyed(world.viewer, "k", book, commands)
    )
    await world.made(cancel, cancelling(world, taken))

    second = await world.storage.write(
        book, commands[:1], idempotency=keyed(world.viewer, "k", book, commands[:1])
    )

    assert [codes(r) for r in first] == [["EVENT_FULL"]] * 2
    assert [codes(r) for r in second] == [[]]


async def test_a_second_call_of_a_partial_batch_waits_for_the_first(
    world: World, event: UUID, opened: Opening
):
    """Ten calls at once from two processes: one is carried out, and all have its answer."""
    other = await opened()
    candidates = await world.candidates(2)
    commands = [world.booking(candidate, event) for candidate in candidates]
    key = keyed(world.viewer, "k", book, commands)

    answers = await asyncio.gather(
        *((world.storage, other)[n % 2].write(book, commands, idempotency=key) for n in range(10))
    )

    assert {(booked.subject, *codes(refused)) for booked, refused in answers} == {
        (answers[0][0].subject, "EVENT_FULL")
    }
    assert sorted(booked.replayed for booked, _ in answers) == [False] + [True] * 9
    assert await world.booking_changes() == ["CREATED"]


@pytest.mark.parametrize("processes", [1, 2, 3])
async def test_parallel_calls_with_one_key_book_once(
    world: World, centre: UUID, opened: Opening, processes: int
):
    """Twenty calls at once from one to three processes: one booking, 20 equal answers; 20 times."""
    hall = await world.room(centre, "Hall", capacity=100)
    event = await world.event(centre=centre, room=hall, capacity_maximum=100)
    storages = [world.storage, *[await opened() for _ in range(processes - 1)]]

    for n, candidate in enumerate(await world.candidates(20)):
        command = world.booking(candidate, event)
        calls = [
            ask(world, book, command, f"k{n}", storage=storages[i % processes]) for i in range(20)
        ]
        results = await asyncio.wait_for(asyncio.gather(*calls), PATIENCE)
        assert len({plain(r) for r in map(_hashable, results)}) == 1
        assert sorted(r.replayed for r in results) == [False] + [True] * 19

    assert await world.booking_changes() == ["CREATED"] * 20


async def test_parallel_calls_with_one_key_and_other_input(
    world: World, centre: UUID, room: UUID, opened: Opening
):
    """One of the inputs wins; every call with it gets its answer, all others are told; 20 times."""
    event = await world.event(centre=centre, room=room, capacity_maximum=100)
    other = await opened()
    candidates = await world.candidates(20)

    for n in range(20):
        one, two = candidates[n], candidates[n - 1]
        commands = [world.booking(c, event) for c in (one, two)] * 5
        calls = [
            ask(world, book, command, f"k{n}", storage=(world.storage, other)[i // 2 % 2])
            for i, command in enumerate(commands)
        ]
        results = await asyncio.wait_for(asyncio.gather(*calls), PATIENCE)
        found = [codes(r) for r in results]
        mine, theirs = found[0::2], found[1::2]
        assert [] in mine or [] in theirs
        for same in (mine, theirs):
            assert len({tuple(c) for c in same}) <= 2
        assert not ([] in mine and [] in theirs)
        assert sum(isinstance(r, Outcome) and not r.replayed for r in results) == 1


def _hashable(outcome: Outcome) -> Outcome:
    return replace(outcome, facts=tuple(sorted(outcome.facts.items())))  # type: ignore[arg-type]


async def test_a_key_that_the_database_cannot_keep_harms_nobody_else(
    storage: Storage, viewer: Viewer, receipts: Receipts
):
    """A request whose key is half a character fails by itself, not with those of its batch."""
    texts = [f"{n:02}" for n in range(20)]
    calls = [
        storage.write(
            receipts.write,
            [text],
            idempotency=Idempotency(
                viewer.organization_id, viewer.key, "\ud800" if text == "07" else text, "same"
            ),
        )
        for text in texts
    ]

    results = await asyncio.gather(*calls, return_exceptions=True)

    assert [n for n, r in enumerate(results) if isinstance(r, Exception)] == [7]
    assert await receipts.written() == [text for text in texts if text != "07"]
