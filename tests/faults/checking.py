"""Compares what clients were told with what the database holds after a fault."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from resolvers.identity import global_id
from resolvers.notifications import outbox
from resolvers.storage import storage_at
from resolvers.storage.tables import Booking, ChangeLog, LogPosition
from resolvers.storage.tables.bookings import SEATED
from resolvers.vocabulary import BookingStatus, ChangeType
from tests.end_to_end.clients import Client, client_of
from tests.faults.load import BOOK, Booked, Known, Organization
from tests.faults.seeding import SEATS, administrator
from tests.resolvers.world import World
from tests.seats import miscounted

REPLAYED: Final = 20
"""How many bookings of each organization are asked for again with their keys."""

TAKEN: Final = """
    query Taken($events: [ID!]!) {
        nodes(ids: $events) { ... on Event { id seats { taken } } }
    }
"""


@dataclass
class Findings:
    """What was lost, what there is twice, and which invariants are broken; one text for each."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def add(self, other: "Findings") -> None:
        self.lost += other.lost
        self.duplicated += other.duplicated
        self.broken += other.broken

    @property
    def good(self) -> bool:
        return not (self.lost or self.duplicated or self.broken)


async def check(database_url: str, organizations: Sequence[Organization], known: Any) -> Findings:
    """All findings about these organizations."""
    findings = Findings()
    storage = storage_at(database_url, outbox.fill)
    await storage.open()
    try:
        for organization in organizations:
            world = World(storage, administrator(organization.id))
            rows = {
                model: await world.rows(model, "organization_id", organization.id)
                for model in (Booking, ChangeLog, LogPosition)
            }
            [position] = rows[LogPosition]
            told = known[organization.name]
            findings.add(compare_bookings(told, rows[Booking]))
            findings.add(compare_log(rows[Booking], rows[ChangeLog], position.position))
            async with client_of(organization.host, organization.token) as client:
                findings.add(compare_seats(rows[Booking], await _taken(client, organization)))
                findings.add(await _replayed(client, told))
        differing = await asyncio.to_thread(miscounted, database_url)
        findings.add(Findings(broken=[f"a counter of seats differs: {one}" for one in differing]))
    finally:
        await storage.close()
    return findings


def compare_bookings(known: Known, rows: Iterable[Any]) -> Findings:
    """Compare acknowledged bookings with rows.

    Bookings of candidates whose last operation has no answer may be in either state.
    """
    findings = Findings(broken=list(known.wrong_answers))
    stored = {global_id("Enrolment", row.id): row for row in rows}
    for key, booked in known.bookings.items():
        if booked.candidate in known.open:
            continue
        if key not in stored:
            findings.lost.append(f"{key}: {booked}")
        elif (state := _state(stored[key])) != booked:
            findings.lost.append(f"{key}: {booked}, but stored as {state}")
    for key, row in stored.items():
        if key not in known.bookings and _state(row).candidate not in known.open:
            findings.duplicated.append(f"{key}: {_state(row)} was never acknowledged")
    live = Counter(row.candidate_id for row in stored.values() if row.status in SEATED)
    findings.duplicated += [f"{one} has {n} bookings" for one, n in live.items() if n > 1]
    return findings


def _state(row: Any) -> Booked:
    return Booked(
        candidate=global_id("Candidate", row.candidate_id),
        event=global_id("Event", row.event_id),
        live=row.status is BookingStatus.CONFIRMED,
    )


def compare_log(rows: Sequence[Any], changes: Sequence[Any], position: int) -> Findings:
    """Compare bookings with their history: it is dense, and each version has one change."""
    broken = []
    positions = sorted(change.position for change in changes)
    if positions != list(range(1, position + 1)):
        broken.append(f"the log has {len(positions)} changes, and its position is {position}")
    types = Counter(change.booking_type for change in changes)
    live = sum(row.status in SEATED for row in rows)
    counted = types[ChangeType.CREATED] - types[ChangeType.CANCELLED]
    if live != counted:
        broken.append(f"{live} live bookings, but CREATED - CANCELLED is {counted}")
    versions = Counter(change.booking_id for change in changes if change.booking_id is not None)
    for row in rows:
        if versions[row.id] != row.version:
            broken.append(f"{row.id} has version {row.version}, but {versions[row.id]} changes")
    return Findings(broken=broken)


def compare_seats(rows: Sequence[Any], taken: Mapping[str, int]) -> Findings:
    """Compare bookings with the seats of their events as the gateway shows them."""
    live = Counter(global_id("Event", row.event_id) for row in rows if row.status in SEATED)
    broken = [
        f"{event} has {live[event]} live bookings, but {shown} seats taken"
        for event, shown in taken.items()
        if live[event] != shown
    ]
    broken += [
        f"{event} has {n} bookings for {SEATS} seats" for event, n in live.items() if n > SEATS
    ]
    return Findings(broken=broken)


async def _taken(client: Client, organization: Organization) -> dict[str, int]:
    nodes = await client.ask(TAKEN, events=organization.events)
    return {node["id"]: node["seats"]["taken"] for node in nodes}


async def _replayed(client: Client, known: Known) -> Findings:
    """Ask again for the last bookings with their keys: each is the same booking."""
    findings = Findings()
    for asked, booking in list(known.keys.values())[-REPLAYED:]:
        answer = await client.ask(BOOK, **asked)
        if not answer["replayed"] or answer["booking"]["id"] != booking:
            findings.duplicated.append(f"the key of {booking} is answered {answer}")
    return findings
