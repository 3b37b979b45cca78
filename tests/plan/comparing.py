"""Compares what the two ways tell of generated documents."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson

from resolvers.viewer import Viewer
from tests.plan.both_ways import BothWays, Told, smallest
from tests.plan.documents import Document, Known, document
from tests.plan.worlds import NO_MEMBER

Asking = Mapping[str, Viewer]


@dataclass
class Tally:
    """What became of the documents."""

    documents: int = 0
    answered: int = 0
    not_planned: int = 0
    gave_up: int = 0
    faultless: int = 0
    cancelled: int = 0
    gave_up_without_reason: list[int] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """The numbers, to be added to those of others."""
        return {n: v for n, v in vars(self).items() if isinstance(v, int)}


async def compared(both: BothWays, known: Known, asking: Asking, seed: int, tally: Tally) -> None:
    """Carry out a document both ways. Raises: AssertionError, with the smallest that differs."""
    asked, viewer = _chosen(both, known, asking, seed)
    told, by_core = await _told(both, asked, viewer, seed, tally)
    if told.cancelled or by_core.cancelled:
        tally.cancelled += 1
        return
    if not told.agrees(by_core):
        raise AssertionError(await _difference(both, asked, viewer, seed))


async def compared_leniently(
    both: BothWays, known: Known, asking: Asking, seed: int, tally: Tally
) -> None:
    """The same where graphql-core may fail on what a plan does not read. Raises: AssertionError."""
    asked, viewer = _chosen(both, known, asking, seed)
    before = tally.answered
    told, by_core = await _told(both, asked, viewer, seed, tally)
    assert told.data is None or NO_MEMBER.encode() not in told.data, (seed, asked)
    if tally.answered == before:
        assert told.cancelled or by_core.cancelled or told.agrees(by_core), (seed, asked)
    elif by_core.data is not None:
        assert told.data is not None
        assert _covers(orjson.loads(told.data), orjson.loads(by_core.data)), (seed, asked)


def _chosen(both: BothWays, known: Known, asking: Asking, seed: int) -> tuple[Document, Viewer]:
    random = Random(seed)
    return document(both.schema, known, random, both.is_valid), asking[
        random.choice(sorted(asking))
    ]


async def _told(
    both: BothWays, asked: Document, viewer: Viewer, seed: int, tally: Tally
) -> tuple[Told, Told]:
    counts = both.planner.counts
    before = (counts.answered, counts.not_planned, counts.gave_up)
    told = await both.by_plans(asked, viewer)
    answered, not_planned, gave_up = (
        now - then
        for now, then in zip(
            (counts.answered, counts.not_planned, counts.gave_up), before, strict=True
        )
    )
    by_core = await both.by_core(asked, viewer)
    tally.documents += 1
    tally.answered += answered
    tally.not_planned += not_planned
    tally.gave_up += gave_up
    if not by_core.errors:
        tally.faultless += 1
        if gave_up:
            tally.gave_up_without_reason.append(seed)
    return told, by_core


def _covers(ours: Any, theirs: Any) -> bool:
    """Whether ours is theirs, but that it may have something where theirs is null."""
    if theirs is None:
        return True
    if isinstance(theirs, dict):
        return list(ours) == list(theirs) and all(_covers(ours[k], theirs[k]) for k in theirs)
    if isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(_covers, ours, theirs))
    return bool(ours == theirs)


async def _difference(both: BothWays, asked: Document, viewer: Viewer, seed: int) -> str:
    """What to look at: the smallest document for which the two ways differ, and what they tell."""
    least = await smallest(both, asked, viewer)
    told, by_core = await both.by_plans(least, viewer), await both.by_core(least, viewer)
    return (
        f"seed {seed}, as {viewer.role}\n{least.text}\n{least.variables} {least.operation}\n"
        f"plans: {told}\ngraphql-core: {by_core}\nwhole document:\n{asked.text}"
    )
