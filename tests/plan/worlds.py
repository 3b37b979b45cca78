"""Worlds to ask about: a healthy one that has some of everything, and the same one broken.

The healthy one is the demo, and beside it what the demo has not. Broken are rows that the database
would not have taken: they are changed by SQL, with what keeps the database from it out of the way.
"""

import itertools
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from demo.organization import NAME, make_demo
from demo.storage import carry_out
from resolvers import contacts
from resolvers.agent_bookings.booking import book as book_courses
from resolvers.agent_bookings.commands import BookAgentBooking
from resolvers.agent_bookings.submission import (
    AgentContact,
    RequestedProduct,
    SpecialRequirements,
    Student,
    Submission,
)
from resolvers.candidates.commands import (
    UpsertCandidate,
    UpsertDepartment,
    upsert_candidates,
    upsert_departments,
)
from resolvers.centres.commands import UpsertCentre, UpsertRoom, upsert_centres, upsert_rooms
from resolvers.changes import Origin
from resolvers.events.commands import CreateEvent
from resolvers.events.creating import create_events
from resolvers.every_kind.cancelling import CancelBooking, cancel
from resolvers.notifications import outbox
from resolvers.notifications.commands import (
    ClaimDeliveries,
    FinishDelivery,
    RegisterNotification,
    RemoveEndpoint,
)
from resolvers.notifications.delivering import claim, due_endpoints, finish
from resolvers.notifications.endpoints import register, remove
from resolvers.organizations import reads
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.organizations.users import UpsertUser, upsert_users
from resolvers.products.commands import (
    UpsertAgentOffice,
    UpsertProduct,
    upsert_agent_offices,
    upsert_products,
)
from resolvers.products.offers import OfferProduct, offer_products
from resolvers.references import ByExternalId, ByKey, ByReference
from resolvers.storage import Read, Storage, one_row, storage_at
from resolvers.storage.columns import Document, ExactAmount, Instant, WallTime
from resolvers.storage.tables import Booking, columns, metadata
from resolvers.tests.commands import UpsertModule, UpsertTest, upsert_modules, upsert_tests
from resolvers.tests.forms import Form
from resolvers.viewer import EVERYTHING, NOTHING, PERMISSIONS, Scope, Viewer
from resolvers.vocabulary import (
    BookingStatus,
    CancellationReason,
    Gender,
    NotificationChannel,
    NotificationTopic,
    ProductKind,
    Role,
    SourceSystem,
)
from tests.conftest import DEMO_AT, run_statements

NOW: Final = DEMO_AT
OTHERS: Final = "Southfield Exams"
AWKWARD: Final = 'Zoë "Q" \\ O\u2019Neil \u2028\U0001f469\u200d\U0001f680 e\u0301 \x7f</script>'
NO_MEMBER: Final = "NO_MEMBER"


def administrator(organization_id: UUID) -> Viewer:
    return Viewer(
        organization_id=organization_id,
        role=Role.ADMIN,
        name="admin",
        key="admin:admin",
        permissions=PERMISSIONS[Role.ADMIN],
    )


# ---------------------------------------------------------------- the healthy one


async def make_healthy(url: str) -> None:
    """Fill a migrated database, which may have the demo already."""
    await make_demo(url, NOW)
    storage = storage_at(url, outbox.fill, clock=lambda: NOW)
    await storage.open()
    try:
        ours = one_row(await storage.read(reads.organization_named(NAME)))
        assert ours is not None
        await _complete(storage, administrator(ours.id))
        command = MakeOrganization(name=OTHERS, time_zone="Asia/Tokyo", currency="JPY")
        [others] = await carry_out(storage, make_organization, [command])
        await _make_others(storage, administrator(others.subject))
    finally:
        await storage.close()
    await run_sql(url, _FILLED)


async def _complete(storage: Storage, viewer: Viewer) -> None:
    """What the demo has not."""
    await _listen(storage, viewer)
    known = {"viewer": viewer, "external_ids": (_external("thing", "1"),)}
    modules = [UpsertModule(viewer=viewer, reference=f"M{n}", name=f"Module {n}") for n in range(3)]
    await carry_out(storage, upsert_modules, [replace(modules[0], **known), *modules[1:]])
    departments = [UpsertDepartment(viewer=viewer, name=name) for name in ("Arts", "Žurnalistika")]
    made = await carry_out(storage, upsert_departments, departments)
    address = contacts.Address(country_iso_code="GB", line1="1 High St", city="York")
    centre = UpsertCentre(
        viewer=viewer,
        reference="YORK",
        name="York",
        time_zone="Europe/London",
        address=address,
        is_school=True,
        minimum_age=16,
        external_ids=(_external("venue", "v-1"), _external("venue", "v-2")),
    )
    await carry_out(storage, upsert_centres, [centre])
    await carry_out(storage, upsert_tests, [_test(viewer)])
    full = UpsertCandidate(
        viewer=viewer,
        reference="FULL",
        first_names=AWKWARD,
        last_name="Ångström",
        email="full@example.org",
        telephone="+44 1",
        mobile="+44 2",
        date_of_birth=date(1993, 2, 20),
        gender=Gender.FEMALE,
        passport_number="X1",
        passport_issuing_country="GB",
        country_of_birth="ES",
        nationality="FR",
        address=address,
        emergency_contact=contacts.EmergencyContact(name=None, phone="3"),
        image_url="https://example.org/a.png",
        centre_ids=(ByReference("YORK"), ByReference("LONDON")),
        subject_ids=(ByReference("CARE"),),
        department_ids=tuple(ByKey(outcome.subject) for outcome in made),
        module_ids=(ByReference("M0"), ByReference("M1")),
        group_identifiers=(UUID(int=7), UUID(int=8)),
        external_ids=(_external("student", "s-1"),),
    )
    bare = UpsertCandidate(viewer=viewer, reference="BARE", first_names="B", last_name="Bare")
    some = [replace(full, reference=f"demo-candidate-{n}", external_ids=None) for n in (3, 9, 20)]
    await carry_out(storage, upsert_candidates, [full, bare, *some])
    staff = UpsertUser(
        viewer=viewer,
        reference="STAFF",
        name="Sam",
        email="sam@example.org",
        role=Role.CENTRE_STAFF,
        centre_ids=(ByReference("LONDON"), ByReference("YORK")),
        subject_ids=(ByReference("CARE"),),
        may_moderate=True,
        active=False,
        external_ids=(_external("user", "u-1"),),
    )
    await carry_out(storage, upsert_users, [staff])
    await carry_out(storage, create_events, [CreateEvent(viewer, v) for v in _EVENTS])
    await _cancel_one(storage, viewer)
    await _book_courses(storage, viewer)
    await _deliver(storage, viewer)


async def _listen(storage: Storage, viewer: Viewer) -> None:
    """Endpoints of the organization, of a user and for email; the last is removed."""
    agent = await _key(storage, "app_user", "agent", viewer.organization_id)
    by_json = RegisterNotification(
        viewer=viewer,
        topics=tuple(NotificationTopic),
        channel=NotificationChannel.HTTP_JSON,
        url="https://example.org/told?a=%C3%A9",
        email="staff@example.org",
    )
    by_email = replace(by_json, channel=NotificationChannel.HTML_EMAIL, url=None)
    of_agent = replace(
        by_json,
        viewer=replace(viewer, user_id=agent),
        channel=NotificationChannel.HTTP_XML,
        topics=(NotificationTopic.EVENT_CREATED, NotificationTopic.EVENT_CHANGED),
        email=None,
    )
    endpoints = [by_json, by_email, of_agent, by_json]
    *_, last = await carry_out(storage, register, endpoints)
    await carry_out(storage, remove, [RemoveEndpoint(viewer=viewer, endpoint=ByKey(last.subject))])


async def _deliver(storage: Storage, viewer: Viewer) -> None:
    """Some are delivered, some tried again, and one endpoint is gone."""
    answers = itertools.cycle([200, 500, 200, 404])
    for row in await storage.read(due_endpoints(NOW)):
        of = {"organization_id": viewer.organization_id, "endpoint_id": row.endpoint_id}
        [claimed] = await carry_out(
            storage, claim, [ClaimDeliveries(**of, lease_seconds=5, most=20)]
        )
        gone = claimed.facts["deliveries"][0]["channel"] == NotificationChannel.HTTP_XML
        finished = [
            FinishDelivery(
                **of,
                delivery_id=UUID(one["id"]),
                lease=UUID(one["lease"]),
                status=410 if gone and n == 2 else next(answers),
                error=AWKWARD if n % 3 == 2 else None,
            )
            for n, one in enumerate(claimed.facts["deliveries"])
        ]
        await carry_out(storage, finish, finished[:-1])


async def _book_courses(storage: Storage, viewer: Viewer) -> None:
    """Two offices, what a school offers them, and what they have booked."""
    office = UpsertAgentOffice(viewer=viewer, code="2983", name=AWKWARD, agency="Study Abroad")
    known = replace(office, external_ids=(_external("office", "o-1"),))
    other = replace(office, code="11", name="Rome", agency="Others", active=False)
    [madrid, _] = await carry_out(storage, upsert_agent_offices, [known, other])
    products = [
        UpsertProduct(viewer=viewer, code=kind.value[:10], kind=kind, name=f"Some {kind}")
        for kind in ProductKind
    ]
    limited = replace(products[0], min_weeks=1, max_weeks=50)
    await carry_out(storage, upsert_products, [limited, *products[1:]])
    offer = OfferProduct(
        viewer=viewer,
        product=ByReference("COURSE"),
        centre=ByReference("YORK"),
        start_dates=(date(2027, 1, 13), date(2027, 2, 1)),
        capacity=3,
    )
    await carry_out(storage, offer_products, [offer])
    await carry_out(storage, book_courses, [_courses(viewer, n) for n in range(6)])
    agent = replace(viewer, scope=Scope(agent_offices=frozenset({madrid.subject})))
    # the students of other agencies' bookings become possible duplicates
    agents = [replace(_courses(viewer, n), viewer=agent) for n in (1, 2, 4)]
    of_madrid = [
        replace(one, submission=replace(one.submission, agent_office_code="2983")) for one in agents
    ]
    await carry_out(storage, book_courses, of_madrid)


def _courses(viewer: Viewer, n: int) -> BookAgentBooking:
    """One of several bookings: some by an office that is not known, some at no school of ours."""
    stay = RequestedProduct(code="COURSE", date_from=date(2027, 1, 13 + n), number_of_weeks=n + 1)
    student = Student(
        first_names=AWKWARD,
        last_name=f"Student {n}",
        passport_issuing_country="ES",
        date_of_birth=date(1993, 2, 20),
        gender=Gender.MALE,
        country_of_birth="ES",
        nationality="ES",
        address=contacts.Address(country_iso_code="ES"),
    )
    submission = Submission(
        agent_booking_id=f"B{n}",
        agent_office_code=("2983", "11", "unknown")[n % 3],
        agent_contact=AgentContact(first_names="A", last_name="B", email="a@example.org"),
        school_code=("YORK", "nowhere")[n % 2],
        language_level=None if n % 2 else AWKWARD[:20],
        student=student,
        courses=(stay,) * (n % 3 + 1),
        lodging=(replace(stay, code="LODGING"), replace(stay, code="COURSE"))[: n % 3],
        optional_extras=(RequestedProduct(code="OPTIONAL_E", quantity=2),) * (n % 2),
        airport_transfers=(RequestedProduct(code="no such"),) * (n % 2),
        special_requirements=SpecialRequirements(general=AWKWARD) if n % 2 else None,
    )
    return BookAgentBooking(viewer=viewer, submission=submission)


def _external(kind: str, value: str) -> ByExternalId:
    return ByExternalId(SourceSystem.SHIFT_IQ_V1, kind, value)


def _test(viewer: Viewer) -> UpsertTest:
    return UpsertTest(
        viewer=viewer,
        reference="ENG-1",
        name="English, Level 1",
        subject=ByReference("LANGUAGES"),
        duration_minutes=90,
        break_minutes=5,
        max_attempts=3,
        languages=("cy", "en-GB"),
        modules=(ByReference("M0"), ByReference("M1"), ByReference("M2")),
        forms=(
            Form(code="A", name="Form A", published_at=NOW, language="en"),
            Form(code="B", name="Form B", published=False, bilingual=True),
        ),
        external_ids=(_external("form", "f-1"),),
    )


_EVENTS: Final[Sequence[dict[str, Any]]] = (
    {"title": "A draft"},
    {"title": "Of modules", "start_at": NOW, "modules": [ByReference("M1"), ByReference("M2")]},
    {
        "title": AWKWARD,
        "start_at": datetime(2027, 2, 1, 9, tzinfo=UTC),
        "centre": ByReference("YORK"),
        "test": ByReference("ENG-1"),
        "eligibility_configured": True,
        "capacity_maximum": 5,
    },
)


async def _cancel_one(storage: Storage, viewer: Viewer) -> None:
    """A change of which the caller says where it comes from."""
    c = columns(Booking)
    confirmed = sa.literal_column(f"'{BookingStatus.CONFIRMED}'", sa.String())
    pick: Read[Any] = Read(
        "one to cancel",
        lambda _: (
            sa.select(c.id)
            .where(c.status == confirmed, c.start_at > sa.bindparam("now", type_=Instant()))
            .order_by(c.reference)
            .limit(1)
        ),
        {"now": NOW},
    )
    row = one_row(await storage.read(pick))
    assert row is not None
    origin = Origin(when=NOW, organization=UUID(int=1), proxy=UUID(int=2), reason="why")
    command = CancelBooking(
        viewer=viewer,
        booking=ByKey(row.id),
        reason=CancellationReason.OTHER,
        message=AWKWARD,
        origin=origin,
    )
    await carry_out(storage, cancel, [command])


async def _make_others(storage: Storage, viewer: Viewer) -> None:
    """Another organization, whose objects have the same references."""
    centre = UpsertCentre(viewer=viewer, reference="LONDON", name="Not ours", time_zone="UTC")
    await carry_out(storage, upsert_centres, [centre])
    room = UpsertRoom(viewer=viewer, centre=ByReference("LONDON"), name="Hall", capacity=3)
    await carry_out(storage, upsert_rooms, [room])
    candidate = UpsertCandidate(
        viewer=viewer, reference="FULL", first_names="Not", last_name="Ours", email="n@example.org"
    )
    await carry_out(storage, upsert_candidates, [candidate])
    await carry_out(storage, create_events, [CreateEvent(viewer, {"title": "Not ours"})])


# ---------------------------------------------------------------- SQL


async def run_sql(url: str, statements: Sequence[str]) -> None:
    """Run statements, with whatever guards the rows out of the way."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            connection.execute(statement)
        connection.close()
        return
    await run_statements(url, ["; ".join(["SET session_replication_role = replica", *statements])])


def _text_columns(name: str) -> Iterator[str]:
    for column in metadata.tables[name].columns:
        if column.nullable and type(column.type) is sa.String and column.type.length > 100:
            yield column.name


_FILLED: Final = [
    # an event and some details of which everything is known
    f"UPDATE event SET {', '.join(f'{c} = {c!r}' for c in _text_columns('event'))}, "
    "credit_hours = 2.5, duration_unit = 'DAY', duration_quantity = 2, number = 12, "
    f"achievement_identifier = identifier WHERE title LIKE 'Demo English%'",
    f"UPDATE enrolment SET {', '.join(f'{c} = {c!r}' for c in _text_columns('enrolment'))}, "
    "module_id = (SELECT m.id FROM module m WHERE m.reference = 'M1') "
    "WHERE id IN (SELECT id FROM booking WHERE status = 'COMPLETED' OR reference LIKE '%7')",
    "UPDATE booking SET status = 'IN_PROGRESS' WHERE reference LIKE '%13'",
    "UPDATE booking SET status = 'DELETED' WHERE reference LIKE '%17'",
    "UPDATE booking SET centre_id = NULL, room_id = NULL WHERE reference LIKE '%23'",
    "UPDATE booking SET created_by_proxy = 'somebody' WHERE reference LIKE '%3'",
]


# ---------------------------------------------------------------- viewers


@dataclass(frozen=True, slots=True)
class Viewers:
    """Who asks, by name: with all rights, with fewer, and with none to see anything."""

    by_name: dict[str, Viewer]

    @property
    def names(self) -> list[str]:
        return sorted(self.by_name)


async def viewers(storage: Storage) -> dict[str, Viewer]:
    """Viewers of the demo's organization, and one of the other."""
    ours = one_row(await storage.read(reads.organization_named(NAME)))
    others = one_row(await storage.read(reads.organization_named(OTHERS)))
    assert ours is not None
    assert others is not None
    admin = administrator(ours.id)
    user = await _key(storage, "app_user", "centre-staff")
    london = await _key(storage, "centre", "LONDON", ours.id)
    numbers = await _key(storage, "subject", "NUMBERS")
    candidate = await _key(storage, "candidate", "demo-candidate-3")

    def seen_by(role: Role, scope: Scope, **values: Any) -> Viewer:
        return replace(admin, role=role, permissions=PERMISSIONS[role], scope=scope, **values)

    office = await _key(storage, "agent_office", "2983")
    agent = await _key(storage, "app_user", "agent", ours.id)

    return {
        "admin": replace(admin, user_id=user),
        "agent": seen_by(Role.AGENT, Scope(agent_offices=frozenset([office])), user_id=agent),
        "invigilator": seen_by(Role.INVIGILATOR, EVERYTHING),
        "staff": seen_by(Role.CENTRE_STAFF, Scope(centres=frozenset([london])), user_id=user),
        "scheduler": seen_by(
            Role.SCHEDULER, Scope(centres=frozenset([london]), subjects=frozenset([numbers]))
        ),
        "marker": seen_by(Role.MARKER, Scope(subjects=frozenset([numbers]))),
        "candidate": seen_by(Role.CANDIDATE, Scope(candidate=candidate)),
        "nobody": seen_by(Role.AGENT, NOTHING),
        "others": administrator(others.id),
    }


async def _key(storage: Storage, name: str, reference: str, organization: Any = None) -> UUID:
    c = metadata.tables[name].c
    rows = await storage.read(
        Read(
            ("key of", name),
            lambda _: sa.select(c.id, c.organization_id).where(
                c.get("reference", c.get("code")) == sa.bindparam("reference", type_=sa.String())
            ),
            {"reference": reference},
        )
    )
    [key] = [row.id for row in rows if organization in (None, row.organization_id)]
    return key


# ---------------------------------------------------------------- the broken ones

Break = Callable[[str], Iterator[str]]
"""Statements that break something, for a database."""


def broken_values(dialect: str) -> Iterator[str]:
    """Values that can be read, and that the types of the schema cannot show, or do oddly."""
    yield from _guards_down(dialect)
    for name, column in _columns():
        for n, value in enumerate(_odd(column, dialect)):
            yield _some(name, column, value, n)
    yield "DELETE FROM enrolment WHERE id IN (SELECT id FROM booking WHERE reference LIKE '%51')"
    yield "DELETE FROM registration WHERE id IN (SELECT id FROM booking WHERE reference LIKE '%5')"
    yield "DELETE FROM organization WHERE name = 'nobody'"


def broken_rows(dialect: str) -> Iterator[str]:
    """Values of which the driver or SQLAlchemy can make nothing, so that their row is not read."""
    yield from _guards_down(dialect)
    for name, column in _columns():
        for n, value in enumerate(_unreadable(column, dialect)):
            yield _some(name, column, value, n)


def _columns() -> Iterator[tuple[str, "sa.Column[Any]"]]:
    for name in BREAKABLE:
        for column in metadata.tables[name].columns:
            if not column.primary_key and column.name not in KEPT | _unique(name):
                yield name, column


def _unique(name: str) -> set[str]:
    """The columns of which no two rows may have the same."""
    of = metadata.tables[name]
    unique = [*(c for c in of.constraints if isinstance(c, sa.UniqueConstraint))]
    unique += [index for index in of.indexes if index.unique]
    return {column.name for one in unique for column in one.columns}


BREAKABLE: Final = (
    *(
        "booking",
        "enrolment",
        "test_schedule",
        "accommodation",
        "payment",
        "candidate",
        "department",
        "centre",
    ),
    *("room", "event", "subject", "module", "test", "test_form", "app_user", "change_log"),
    *("registration", "registration_transfer"),
    *("notification_endpoint", "notification_delivery"),
)
KEPT: Final = {"organization_id", "id", "kind", "role"}
NAMES: Final = {"name", "title", "first_names", "last_name"}
RARE: Final = 29
"""One row in so many has a given fault; of tables with many columns some have several."""


def _some(name: str, column: "sa.Column[Any]", value: str, n: int) -> str:
    """Set a column in some rows, others for each column and each value."""
    keys = [k.name for k in metadata.tables[name].primary_key if k.name != "organization_id"]
    order = ", ".join(keys)
    place = sum(map(ord, column.name)) * 7 + n * 5
    rare = RARE if name in {"booking", "enrolment", "candidate", "payment", "change_log"} else 11
    joined = " AND ".join(f"{name}.{key} = chosen.{key}" for key in keys)
    return (
        f"UPDATE {name} SET {column.name} = {value} FROM (SELECT {order}, "
        f"row_number() OVER (ORDER BY {order}) AS n FROM {name}) AS chosen "
        f"WHERE {joined} AND chosen.n % {rare} = {place % rare}"
    )


def _guards_down(dialect: str) -> Iterator[str]:
    if dialect != "sqlite":
        yield """DO $$ DECLARE guard record; BEGIN
            FOR guard IN SELECT conrelid::regclass AS of, conname FROM pg_constraint
                WHERE contype = 'c' AND conrelid <> 0
            LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', guard.of, guard.conname);
            END LOOP; END $$"""


def _odd(column: "sa.Column[Any]", dialect: str) -> Iterator[str]:
    sqlite = dialect == "sqlite"
    if column.nullable:
        yield "NULL"
    match column.type:
        case sa.Enum():
            return
        case sa.String():
            if column.name not in NAMES:
                yield "''" if column.type.length < 50 else _quoted(AWKWARD)
            if column.name in {"time_zone", "language", "default_language"}:
                yield "'No/Where'"
        case sa.BigInteger():
            return
        case sa.Integer():
            if sqlite:
                yield from ("2147483648", "-2147483649", "1099511627776", "2.5", "'many'")
            yield "-2147483648"
            yield "2147483647"
        case sa.Uuid():
            if column.foreign_keys:
                yield "'00000000000000000000000000000bad'"
        case Instant():
            yield "'2027-01-11T12:00:00.123456Z'"
            yield "'0001-01-01T00:00:00.000001Z'"
            if sqlite:
                yield "'2027-01-11T12:00:00'"
                yield "'2027-01-11T12:00:00+05:30'"
            else:
                yield "'infinity'"
        case WallTime():
            yield "'2027-01-11T12:00:00.123456'"
            if sqlite:
                yield "'2027-01-11T12:00:00+05:30'"
        case ExactAmount():
            yield "'NaN'"
            yield "'12345678901234567890.123'"
            if sqlite:
                yield "'1E+3'"
        case Document():
            yield "'[]'"
            yield "'{}'"
            yield "'\"text\"'"
            yield "'[1, null, true, {\"a\": 1.5}]'"
            yield "'123456789012345678901234567890'"
        case sa.Float():
            yield "1e308"
            if sqlite:
                yield "9e999"
            else:
                yield "'NaN'"
        case sa.Boolean():
            if sqlite:
                yield "2"


def _unreadable(column: "sa.Column[Any]", dialect: str) -> Iterator[str]:
    if isinstance(column.type, sa.Enum):
        yield f"'{NO_MEMBER}'"
    if dialect != "sqlite":
        return
    match column.type:
        case Document():
            yield "'{\"a\": '"
        case Instant() | WallTime():
            yield "'yesterday'"
        case ExactAmount():
            yield "'much'"
        case sa.Date():
            yield "'1993-02-30'"
        case sa.Uuid():
            yield "'no key'"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
