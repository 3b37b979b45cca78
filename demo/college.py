"""The college of the demo's term: its data before the first registration."""

from datetime import timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

from demo.enrolments import create_known_events
from demo.people import people
from demo.plan import CANDIDATES
from demo.storage import carry_out
from demo.term import (
    COLLEGE,
    LEARNERS,
    TRADES,
    VENUE,
    WORKSHOP,
    Term,
    TermSitting,
    learner_identifier,
)
from resolvers.candidates.commands import UpsertCandidate, upsert_candidates
from resolvers.centres.commands import UpsertCentre, UpsertRoom, upsert_centres, upsert_rooms
from resolvers.events.commands import CreateEvent
from resolvers.references import ByExternalId, ByReference
from resolvers.storage import Storage
from resolvers.tests.commands import UpsertSubject, UpsertTest, upsert_subjects, upsert_tests
from resolvers.tests.forms import Form
from resolvers.viewer import Viewer
from resolvers.vocabulary import SourceSystem

SUBJECT: Final = "TRADES"
SEATS: Final = 16
FIRST_NUMBER: Final = 4101
EXAM_TYPE, EXAM_FORMAT, BILLING_CODE = "Standard", "Paper", "SITTING"


async def make_college(storage: Storage, viewer: Viewer, term: Term) -> None:
    """Create the centre, the tests with their forms, the learners and the planned events."""
    centre = UpsertCentre(
        viewer=viewer,
        reference=COLLEGE.reference,
        name=COLLEGE.name,
        time_zone=COLLEGE.time_zone,
        city=COLLEGE.city,
        country=COLLEGE.country,
        subject_ids=(ByReference(SUBJECT),),
        external_ids=(_shift_iq("venue", VENUE),),
    )
    room = UpsertRoom(
        viewer=viewer, centre=ByReference(COLLEGE.reference), name=WORKSHOP, capacity=SEATS
    )
    subject = UpsertSubject(viewer=viewer, reference=SUBJECT, name="Trades")
    await carry_out(storage, upsert_subjects, [subject])
    await carry_out(storage, upsert_centres, [centre])
    await carry_out(storage, upsert_rooms, [room])
    await carry_out(storage, upsert_tests, _tests(viewer))
    await carry_out(storage, upsert_candidates, _learners(viewer))
    planned = [sitting for sitting in term.sittings if sitting.is_planned]
    events = [(_event(viewer, sitting), event_ref(sitting)) for sitting in planned]
    await carry_out(storage, create_known_events, events)


def event_ref(sitting: TermSitting) -> ByExternalId:
    return ByExternalId(SourceSystem.SHIFT_IQ_V2, "event", str(sitting.identifier))


def learner_ref(learner: int) -> ByExternalId:
    return _shift_iq("learner", learner_identifier(learner))


def _shift_iq(kind: str, identifier: UUID) -> ByExternalId:
    return ByExternalId(SourceSystem.SHIFT_IQ_V1, kind, str(identifier))


def _tests(viewer: Viewer) -> list[UpsertTest]:
    return [
        UpsertTest(
            viewer=viewer,
            reference=trade.code,
            name=trade.name,
            subject=ByReference(SUBJECT),
            duration_minutes=trade.minutes,
            requires_invigilation=True,
            forms=tuple(Form(code=code, name=f"{trade.name}, {code[-1]}") for code in trade.forms),
        )
        for trade in TRADES
    ]


def _learners(viewer: Viewer) -> list[UpsertCandidate]:
    """Apprentices. Their names differ from those of all candidates of the demo."""
    others = people(CANDIDATES + LEARNERS, Random(2024))[CANDIDATES:]  # noqa: S311 - no secret
    return [
        UpsertCandidate(
            viewer=viewer,
            reference=f"demo-apprentice-{n + 1}",
            first_names=person.first_names,
            last_name=person.last_name,
            email=f"demo-apprentice-{n + 1}@example.com",
            date_of_birth=person.born_on,
            nationality=person.country,
            centre_ids=(ByReference(COLLEGE.reference),),
            subject_ids=(ByReference(SUBJECT),),
            external_ids=(learner_ref(n),),
        )
        for n, person in enumerate(others)
    ]


def _event(viewer: Viewer, sitting: TermSitting) -> CreateEvent:
    start, trade = sitting.start_at, sitting.trade
    values: dict[str, Any] = {
        "title": sitting.title,
        "number": FIRST_NUMBER + sitting.number,
        "event_type": "Exam",
        "class_code": f"{trade.code}-{start.year}",
        "calendar_color": "#2f6f4f",
        "source": "Shift iQ",
        "centre": ByReference(COLLEGE.reference),
        "room": ByReference(WORKSHOP),
        "venue_room": WORKSHOP,
        "test": ByReference(trade.code),
        "start_at": start,
        "exam_type": EXAM_TYPE,
        "exam_format": EXAM_FORMAT,
        "billing_code": BILLING_CODE,
        "billing_code_enabled": True,
        "capacity_maximum": sitting.capacity,
        "capacity_minimum": 4,
        "invigilator_minimum": 1,
        "registration_deadline": start - timedelta(days=2),
        "publication_status": "Published",
        "scheduling_status": "Confirmed",
        "distribution_code": f"D-{FIRST_NUMBER + sitting.number}",
        "distribution_process": "Courier",
        "distribution_expected": start - timedelta(days=1),
    }
    return CreateEvent(viewer, values, sitting.identifier)
