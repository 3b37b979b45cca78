"""The counters of seats are the numbers of bookings after any commands, in any order."""

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import cycle
from typing import Any
from uuid import uuid4

import pytest

from resolvers.bookings.payment_rules import PaymentTerms
from resolvers.enrolments.booking import book
from resolvers.enrolments.moving import move
from resolvers.enrolments.results import assign_results
from resolvers.events.commands import UpdateEvent
from resolvers.events.updating import update_events
from resolvers.every_kind.accommodations import grant, revoke
from resolvers.every_kind.cancelling import cancel
from resolvers.every_kind.expiry import ExpireDue, expire_due
from resolvers.organizations.settings import UpdateSettings, update_settings
from resolvers.outcomes import Outcome
from resolvers.references import ByKey
from resolvers.registrations.booking import book as register
from resolvers.registrations.commands import (
    BookRegistration,
    DeleteRegistration,
    TransferRegistration,
)
from resolvers.registrations.deleting import delete
from resolvers.registrations.transferring import transfer
from resolvers.storage.tables import Booking
from resolvers.tests.forms import Form
from resolvers.vocabulary import ConflictPolicy
from tests.conftest import SEED, SettableClock
from tests.patience import PATIENCE
from tests.resolvers.asking import cancelling, granting, moving, resulting, revoking
from tests.resolvers.storage.conftest import Opening
from tests.resolvers.world import World
from tests.seats import miscounted

pytestmark = pytest.mark.both_databases

ROUNDS, AT_ONCE = 14, 12
UNPAID = PaymentTerms(amount=Decimal("40.00"), currency="GBP")
WEEK = timedelta(days=7)

Asked = tuple[Any, Any]
"""What is called, and its command."""


class Crowd:
    """Draws commands for events that share rooms, for candidates who may book any of them."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self.world, self.chance = world, chance

    async def prepare(self) -> None:
        world, self.centre = self.world, await self.world.centre()
        settings = UpdateSettings(viewer=world.viewer, conflict_policy=ConflictPolicy.ALLOW)
        await world.one(update_settings, settings)
        self.rooms = [
            await world.room(self.centre, name, capacity=seats)
            for name, seats in (("Hall", 100), ("Cell", 3))
        ]
        test = await world.test(forms=(Form(code="F1", name="Form one"),))
        start = world.tomorrow(10) + WEEK
        self.events = [
            await world.event(
                centre=self.centre,
                room=self.rooms[n % 2],
                test=test,
                capacity_maximum=4 + n,
                allow_multiple_registrations=True,
                start_at=start + timedelta(minutes=20 * n),
            )
            for n in range(4)
        ]
        self.on_demand = await world.event(
            centre=self.centre, room=self.rooms[1], on_demand=True, capacity_maximum=5
        )
        self.candidates = await world.candidates(20)

    async def commands(self, number: int) -> list[Asked]:
        """That many commands; those about bookings are about any that there are."""
        of = self.world.viewer.organization_id
        rows = await self.world.rows(Booking, "organization_id", of)
        return [self._command(rows) for _ in range(number)]

    def _command(self, rows: Sequence[Any]) -> Asked:
        if not rows or self.chance.random() < 0.4:
            return self._new()
        row = self.chance.choice(rows)
        of_kind = self._enrolled if row.kind == "ENROLMENT" else self._registered
        return self.chance.choice(
            [self._changed_event, lambda: of_kind(row), lambda: of_kind(row)]
        )()

    def _new(self) -> Asked:
        world, candidate = self.world, self.chance.choice(self.candidates)
        event = self.chance.choice([*self.events, self.on_demand])
        if event != self.on_demand and self.chance.random() < 0.3:
            command = BookRegistration(
                viewer=world.viewer,
                target=ByKey(event),
                candidate=ByKey(candidate),
                registration=uuid4(),
                test_form="F1",
            )
            return register, command
        terms = {"payment": UNPAID} if self.chance.random() < 0.3 else {}
        time = {"on_demand_time": self._time()} if event == self.on_demand else {}
        return book, world.booking(candidate, event, **terms, **time)

    def _enrolled(self, row: Any) -> Asked:
        world, target = self.world, self.chance.choice([*self.events, self.on_demand])
        time = {"to_on_demand_time": self._time()} if target == self.on_demand else {}
        minutes = self.chance.choice([0, 15, 45])
        return self.chance.choice(
            [
                (move, moving(world, row.id, to_event=target, **time)),
                (cancel, cancelling(world, row.id)),
                (grant, granting(world, row.id, time_extension_minutes=minutes)),
                (revoke, revoking(world, row.id)),
                (assign_results, resulting(world, row.id)),
            ]
        )

    def _registered(self, row: Any) -> Asked:
        viewer, registration = self.world.viewer, ByKey(row.id)
        transferred = TransferRegistration(
            viewer=viewer,
            registration=registration,
            target=ByKey(self.chance.choice(self.events)),
            candidate=ByKey(row.candidate_id),
            reason="Ill on the day",
        )
        deleted = DeleteRegistration(viewer=viewer, registration=registration)
        return self.chance.choice(
            [
                (transfer, transferred),
                (delete, deleted),
                (cancel, cancelling(self.world, row.id)),
            ]
        )

    def _changed_event(self) -> Asked:
        later = self.world.tomorrow(9) + WEEK + timedelta(minutes=self.chance.randrange(120))
        changes = self.chance.choice(
            [
                {"start_at": later},
                {"room": ByKey(self.chance.choice(self.rooms))},
                {"exam_duration_in_minutes": self.chance.choice([30, 90])},
            ]
        )
        event = ByKey(self.chance.choice(self.events))
        return update_events, UpdateEvent(viewer=self.world.viewer, event=event, changes=changes)

    def _time(self) -> Any:
        at = self.world.tomorrow(10) + WEEK + timedelta(minutes=15 * self.chance.randrange(6))
        return at.replace(tzinfo=None)


async def test_any_commands_keep_the_counters(
    world: World, clock: SettableClock, database_url: str, opened: Opening
):
    """Of three processes at once, with some calls given up, and with payments that lapse."""
    chance = random.Random(SEED)
    crowd = Crowd(world, chance)
    await crowd.prepare()
    storages = [world.storage, await opened(), await opened()]
    succeeded: set[Any] = set()

    for number in range(ROUNDS):
        asked = await crowd.commands(AT_ONCE)
        turns = cycle(storages)
        calls = [asyncio.ensure_future(next(turns).write(run, [one])) for run, one in asked]
        await asyncio.sleep(0)
        for call in calls[number % 5 :: 5]:
            call.cancel()
        results = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), PATIENCE)

        faults = [one for one in results if isinstance(one, Exception)]
        assert faults == []
        succeeded |= {
            run
            for (run, _), answered in zip(asked, results, strict=True)
            if isinstance(answered, list) and isinstance(answered[0], Outcome)
        }
        assert await asyncio.to_thread(miscounted, database_url) == []
        clock.now += timedelta(hours=2)

    await world.storage.write(expire_due, [ExpireDue()])
    assert await asyncio.to_thread(miscounted, database_url) == []
    assert {book, register, cancel, update_events} <= succeeded
