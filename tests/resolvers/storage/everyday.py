"""What the gateway does all day, against a database with many rows: bookings, the feed, lists."""

from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID, uuid4

from resolvers import change_reads
from resolvers.agent_bookings.reads import organizations_waiting
from resolvers.candidates.commands import UpsertCandidate, upsert_candidates
from resolvers.enrolments.moving import move
from resolvers.events.commands import UpdateEvent
from resolvers.events.updating import update_events
from resolvers.every_kind.accommodations import grant
from resolvers.every_kind.cancelling import cancel
from resolvers.every_kind.expiry import ExpireDue, expire_due
from resolvers.identity import global_id
from resolvers.organizations.reads import log_positions
from resolvers.references import ByKey
from resolvers.registrations.booking import book as register
from resolvers.registrations.commands import BookRegistration, LaxEvent, TransferRegistration
from resolvers.registrations.transferring import transfer
from resolvers.storage.paging import PageRequest
from resolvers.tests.commands import UpsertSubject, upsert_subjects
from resolvers.tests.forms import Form
from resolvers.viewer import Scope, Viewer
from resolvers.vocabulary import ProductKind, Role
from tests.plan.both_ways import BothWays
from tests.plan.documents import Document
from tests.resolvers.agent_bookings.conftest import MONDAYS, SAMPLE, School
from tests.resolvers.agent_bookings.validated import validated
from tests.resolvers.asking import cancelling, granting, in_role, moving
from tests.resolvers.storage.many_rows import CENTRE, Seeds, key
from tests.resolvers.test_schedules.conftest import NOT_MADE, Schedules

BOOKING_FIELDS: Final = """reference status candidate { fullName } event { title } room { name }
    centre { name } accommodations { type } allowedActions"""

LISTS: Final = (
    f"""query ($event: ID!) {{ enrolments(first: 50, filter: {{eventId: {{eq: $event}}}}) {{
        nodes {{ {BOOKING_FIELDS} payment {{ status }} }} totalCount }} }}""",
    f"""query ($event: ID!) {{ node(id: $event) {{ ... on Event {{ title seats {{ free }}
        bookings(first: 20) {{ nodes {{ {BOOKING_FIELDS} }} totalCount }} }} }} }}""",
    f"""query ($candidate: ID!) {{ node(id: $candidate) {{ ... on Candidate {{ fullName
        bookings(first: 20) {{ nodes {{ {BOOKING_FIELDS} history(first: 5) {{ totalCount }} }}
        totalCount }} }} }} }}""",
    f"""{{ bookings(first: 20, sort: [{{field: CREATED_AT, direction: DESC}}]) {{
        nodes {{ {BOOKING_FIELDS} }} }} }}""",
    f"""{{ bookings(last: 20, sort: [{{field: UPDATED_AT}}]) {{
        nodes {{ {BOOKING_FIELDS} }} }} }}""",
    """{ bookings(first: 20, filter: {status: [PENDING, CONFIRMED], kind: [ENROLMENT]}) {
        edges { cursor node { reference } } } }""",
    """{ bookings(filter: {reference: {eq: "enro-4711"}}) { nodes { reference } } }""",
    """query ($candidate: ID!) { bookings(filter: {candidateId: {eq: $candidate}}) {
        nodes { reference } totalCount } }""",
    """{ events(last: 20) { nodes { title seats { free } } } }""",
    """{ bookingChanges(last: 20) { nodes { type at booking { reference } } } }""",
)
"""What people look at. `totalCount` is asked for only where few rows are counted."""

OF_ALL_CENTRES: Final = (
    """query ($day: DateTime!) { bookings(first: 20, filter: {start: {gte: $day}}) {
        nodes { reference } } }""",
    """{ candidates(first: 20) { nodes { fullName } } }""",
    """{ events(last: 20) { nodes { title
        enrolments(first: 5) { nodes { reference candidate { fullName } } totalCount } } } }""",
)
"""The same, by callers who see everything. For others these lists pass by what is not theirs."""


@dataclass
class Everyday(Schedules, School):
    """A world with one of everything, from which `many_rows` makes many."""

    office_key: UUID = NOT_MADE

    async def make(self) -> Seeds:
        """Make the rows that are copied, and what belongs to them."""
        school = await self.school("S333", "Europe/London")
        self.centre_key = school
        room = await self.room(school, capacity=2_000)
        subject = UpsertSubject(
            viewer=self.viewer, reference="SUM", name="Sums", centre_ids=(ByKey(school),)
        )
        self.subject_key = await self.made(upsert_subjects, subject)
        form = Form(code="F1", name="Form one")
        self.maths = await self.test(subject=ByKey(self.subject_key), forms=(form,))
        self.office_key = await self.office("2983", "Study Abroad")
        await self._products(school)
        self.candidate_key = await self.associated("C1")
        event = await self.event(centre=school, room=room, test=self.maths, capacity_maximum=5_000)
        bookings = {
            "enrolment": await self.booked_enrolment(self.candidate_key, event),
            "registration": await self.registered(await self.associated("C2"), event),
            "test_schedule": await self.scheduled(candidate=await self.associated("C3")),
            "agent_booking": await self.booked(),
        }
        await self.made(grant, granting(self, bookings["test_schedule"]))
        await validated(self)
        organization = self.viewer.organization_id
        return Seeds(organization, self.candidate_key, school, room, event, bookings)

    async def _products(self, school: UUID) -> None:
        course = await self.product("C92", ProductKind.COURSE, "English", min_weeks=1, max_weeks=48)
        await self.offer(course, school, *MONDAYS)
        for code, kind in (("A78", ProductKind.LODGING), ("E33", ProductKind.OPTIONAL_EXTRA)):
            await self.offer(await self.product(code, kind, code), school)
        await self.product("TRN88", ProductKind.AIRPORT_TRANSFER, "Gatwick")

    def keys(self) -> dict[str, Any]:
        """What another storage needs to go on with this world, besides itself."""
        return {name: value for name, value in vars(self).items() if name != "storage"}

    async def booked_enrolment(self, candidate: UUID, event: UUID) -> UUID:
        return await Schedules.booked(self, candidate, event)

    async def registered(self, candidate: UUID, event: UUID | LaxEvent) -> UUID:
        command = BookRegistration(
            viewer=self.viewer,
            target=ByKey(event) if isinstance(event, UUID) else event,
            candidate=ByKey(candidate),
            registration=uuid4(),
            test_form="F1",
        )
        return await self.made(register, command)

    async def write(self, events: list[UUID], reference: str) -> None:
        """Every command that bookings are made and changed with. `reference` must be new."""
        one, other = [await self.associated(f"{reference}-{n}") for n in range(2)]
        await self._enrol(one, events)
        await self._register(other, events)
        await self._schedule(await self.associated(f"{reference}-2"))
        await self._book_course(reference)
        await self.storage.write(expire_due, [ExpireDue()])
        command = UpsertCandidate(
            viewer=self.viewer, reference=reference, first_names="Ada", last_name="Lovelace"
        )
        await self.made(upsert_candidates, command)

    async def _enrol(self, candidate: UUID, events: list[UUID]) -> None:
        booking = await self.booked_enrolment(candidate, events[0])
        await self.made(move, moving(self, booking, to_event=events[1]))
        await self.made(grant, granting(self, booking, time_extension_minutes=30))
        changes = {"capacity_maximum": 4_000}
        await self.made(update_events, UpdateEvent(self.viewer, ByKey(events[1]), changes))
        await self.made(cancel, cancelling(self, booking))

    async def _register(self, candidate: UUID, events: list[UUID]) -> None:
        booking = await self.registered(candidate, events[0])
        lax = LaxEvent(
            centre=self.centre_key,
            start=self.tomorrow(15).isoformat(),
            exam_type="Written",
            exam_format="Paper",
            billing_code="B1",
        )
        command = TransferRegistration(
            viewer=self.viewer,
            registration=ByKey(booking),
            target=lax,
            candidate=ByKey(candidate),
            reason="Ill on the day",
        )
        await self.made(transfer, command)

    async def _schedule(self, candidate: UUID) -> None:
        schedule = await self.scheduled(candidate=candidate)
        await self.move(schedule, start_date=self.tomorrow(9).date())
        await self.delete(schedule)

    async def _book_course(self, reference: str) -> None:
        assert SAMPLE.student is not None
        student = replace(SAMPLE.student, passport_number=reference, last_name="Novak")
        agent = self.agent(self.office_key)
        for level in ("Beginner", "Advanced"):
            submission = replace(
                SAMPLE, agent_booking_id=reference, student=student, language_level=level
            )
            await self.booked(submission, viewer=agent)
            await self.storage.read(organizations_waiting(self.storage.clock(), 200))
            await validated(self)

    async def follow(self, position: int) -> None:
        """What subscriptions and the change feed read, for a position near the log's end."""
        storage, viewer = self.storage, self.viewer
        await storage.read(log_positions([viewer.organization_id]))
        await storage.read(change_reads.newest_position(viewer))
        await storage.read(change_reads.touched_since(viewer, position - 10))
        page = PageRequest(change_reads.IN_COMMIT_ORDER, 100, after=(position - 100,))
        for who in self._people():
            await storage.read(change_reads.changes_page(who, page))

    async def look(self, service: BothWays, event: UUID, candidate: UUID) -> None:
        """The lists that people look at."""
        values = {
            "event": global_id("Event", event),
            "candidate": global_id("Candidate", candidate),
            "day": self.storage.clock().isoformat(),
        }
        for who in self._people():
            for text in LISTS if who is not self.viewer else (*LISTS, *OF_ALL_CENTRES):
                used = {name: value for name, value in values.items() if f"${name}" in text}
                result = await service.executed(Document(text, used), who)
                assert result.errors is None, (text, result.errors)

    def _people(self) -> list[Viewer]:
        """One who sees everything, and one who sees the bookings of a centre."""
        scope = Scope(centres=frozenset([key(CENTRE, 3), self.centre_key]))
        return [self.viewer, in_role(self, Role.CENTRE_STAFF, scope)]
