"""What scheduling and moving work with: everything that a whole batch needs, loaded once."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from resolvers import checks
from resolvers.bookings import loading
from resolvers.links import CANDIDATE_CENTRES, CANDIDATE_SUBJECTS, CENTRE_SUBJECTS, Link, linked
from resolvers.references import Lookup, Model, Ref, look_up
from resolvers.refusals import OutOfRange
from resolvers.storage.columns import one_of
from resolvers.storage.read import Read
from resolvers.storage.rows import new_row
from resolvers.storage.tables import (
    Candidate,
    Centre,
    SessionPin,
    Subject,
    Test,
    TestForm,
    TestSchedule,
    User,
    columns,
    table,
)
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.test_schedules.codes import draw_keycode, draw_pin
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import BookingKind, BookingStatus

Owner = tuple[UUID, UUID]
Sitting = tuple[UUID, UUID, UUID, date]
"""An organization, a centre, a test and a day: who sit together have one PIN."""

SHORTEST = 8
NEVER_SAT = frozenset({BookingStatus.CANCELLED, BookingStatus.DELETED})


@frozen(kw_only=True)
class ScheduleRefs:
    """What one command names, who asks, and for which day."""

    viewer: Viewer
    test: Ref
    centre: Ref
    candidate: Ref
    on_date: date
    subject: Ref | None = None
    test_form: Ref | None = None
    users: tuple[Ref | None, ...] = ()


class PreloadedBatch:
    """The rows that a batch of test schedules needs.

    Locked, table by table in key order: tests, since who sit together must find one PIN; then
    candidates, since none may get two open schedules.
    """

    def __init__(self, work: UnitOfWork, wanted: Sequence[ScheduleRefs]) -> None:
        self._work = work

        def found(
            model: type[Model], name: Callable[[ScheduleRefs], Iterable[Ref | None]]
        ) -> Lookup[Model]:
            names = ((w.viewer, ref) for w in wanted for ref in name(w))
            return look_up(work, model, names)

        self.tests = found(Test, lambda w: [w.test])
        self.centres = found(Centre, lambda w: [w.centre])
        self._candidates = found(Candidate, lambda w: [w.candidate])
        self.subjects = found(Subject, lambda w: [w.subject])
        self.test_forms = found(TestForm, lambda w: [w.test_form])
        self.users = found(User, lambda w: w.users)
        tests, centres = _owners(self.tests.rows()), _owners(self.centres.rows())
        loading.lock(work, Test, tests)
        self._locked = loading.lock(work, Candidate, _owners(self._candidates.rows()))
        candidates = _owners(self._locked.values())
        self.settings = loading.settings(work, {w.viewer.organization_id for w in wanted})
        self.candidate_schedules = loading.candidate_schedules(work, candidates)
        self._forms = _grouped(loading.of_keys(work, TestForm, "test_id", tests))
        self._used = self._forms_used()
        self._centre_subjects = linked(work, CENTRE_SUBJECTS, centres)
        self._associated = {
            link: dict(linked(work, link, candidates))
            for link in (CANDIDATE_CENTRES, CANDIDATE_SUBJECTS)
        }
        self._pins = self._pins_of(tests, {w.on_date for w in wanted})
        self._new_links: list[tuple[Link, Any]] = []
        self._new_pins: list[SessionPin] = []

    def candidate(self, viewer: Viewer, ref: Ref, *path: str) -> Candidate:
        """Raises: NotFoundRefusal, AmbiguousReference, Invalid."""
        found: Candidate = self._candidates.one(viewer, ref, *path)
        return found

    def forms_of(self, test: Test) -> list[TestForm]:
        return self._forms.get(test.id, [])

    def forms_used(self, candidate: Candidate) -> Counter[UUID]:
        """How often a candidate was given each form."""
        return self._used.setdefault(candidate.id, Counter())

    def subjects_of_centre(self, centre: Centre) -> frozenset[UUID]:
        return self._centre_subjects.get((centre.organization_id, centre.id), frozenset())

    def associated(self, candidate: Candidate, link: Link) -> frozenset[UUID]:
        """The centres, or the subjects, that a candidate is associated with."""
        return self._associated[link].get((candidate.organization_id, candidate.id), frozenset())

    def associate(self, candidate: Candidate, wanted: Mapping[Link, UUID | None]) -> None:
        """Associate the candidate, where it is not yet, once the batch is written.

        Raises: OutOfRange.
        """
        owner = (candidate.organization_id, candidate.id)
        new = {
            link: key
            for link, key in wanted.items()
            if key is not None and key not in self.associated(candidate, link)
        }
        for link in new:
            if len(self.associated(candidate, link)) >= checks.PLAIN_LIST:
                rule = f"is associated with {checks.PLAIN_LIST} of these already"
                raise OutOfRange("candidate", rule=rule)
        for link, key in new.items():
            self._associated[link][owner] = self.associated(candidate, link) | {key}
            values = {"organization_id": owner[0], link.parent: owner[1], link.child: key}
            self._new_links.append((link, new_row(link.model, **values)))

    def pin(self, sitting: Sitting) -> str:
        """The PIN of all who sit a test at a centre on a day; drawn for the first of them."""
        if sitting not in self._pins:
            organization_id, centre_id, test_id, on_date = sitting
            made = new_row(
                SessionPin,
                organization_id=organization_id,
                centre_id=centre_id,
                test_id=test_id,
                on_date=on_date,
                pin=draw_pin(),
            )
            self._pins[sitting] = made.pin
            self._new_pins.append(made)
        return self._pins[sitting]

    def write(self) -> None:
        """Write the associations and PINs that came about."""
        self._work.insert(SessionPin, self._new_pins)
        for link, row in self._new_links:
            self._work.insert(link.model, [row])

    def _forms_used(self) -> dict[UUID, Counter[UUID]]:
        given = {
            b.id: b
            for b in self.candidate_schedules.everything()
            if b.kind is BookingKind.TEST_SCHEDULE and b.status not in NEVER_SAT
        }
        used: dict[UUID, Counter[UUID]] = {}
        for row in loading.of_keys(self._work, TestSchedule, "id", _owners(given.values())):
            if row.test_form_id is not None:
                used.setdefault(given[row.id].candidate_id, Counter())[row.test_form_id] += 1
        return used

    def _pins_of(self, tests: Sequence[Owner], days: set[date]) -> dict[Sitting, str]:
        if not tests:
            return {}
        c = columns(SessionPin)
        read: Read[SessionPin] = Read(
            "pins of sittings",
            lambda _: sa.select(table(SessionPin)).where(
                one_of(c.organization_id, "organizations"),
                one_of(c.test_id, "tests"),
                one_of(c.on_date, "days"),
            ),
            {
                "organizations": list({organization_id for organization_id, _ in tests}),
                "tests": [key for _, key in tests],
                "days": sorted(days),
            },
        )
        return {
            (row.organization_id, row.centre_id, row.test_id, row.on_date): row.pin
            for row in self._work.rows(read)
        }


def schedule_key() -> UUID:
    """The key of a new schedule.

    A random one: a schedule is known by the first digits of its key, which of a UUIDv7 are the
    time, the same for everything that is made within a minute.
    """
    return uuid4()


def keycodes(work: UnitOfWork, organizations: Iterable[UUID], count: int) -> list[str]:
    """Keycodes that nobody has had."""
    c, drawn = columns(TestSchedule), set[str]()
    while len(drawn) < count:
        more = {draw_keycode(drawn) for _ in range(count - len(drawn))}
        read: Read[TestSchedule] = Read(
            "keycodes taken",
            # SQLite would rather read all than take one index and then the other
            lambda _: sa.union_all(
                *(
                    sa.select(column.label("keycode")).where(
                        one_of(c.organization_id, "organizations"), one_of(column, "drawn")
                    )
                    for column in (c.keycode, c.deleted_keycode)
                )
            ),
            {"organizations": list(set(organizations)), "drawn": list(more)},
        )
        drawn |= more - {row.keycode for row in work.rows(read)}
    return list(drawn)


def references(work: UnitOfWork, owners: Sequence[Owner]) -> list[str]:
    """`TST-` and the first 8 hex digits of each key; more of them where another has the same."""
    possible = [[f"TST-{key.hex[:n]}" for n in range(SHORTEST, 33)] for _, key in owners]
    asked = [
        (organization_id, text)
        for (organization_id, _), texts in zip(owners, possible, strict=True)
        for text in texts
    ]
    taken = loading.references_taken(work, BookingKind.TEST_SCHEDULE, asked)
    chosen = []
    for (organization_id, _), texts in zip(owners, possible, strict=True):
        reference = next(text for text in texts if (organization_id, text) not in taken)
        taken.add((organization_id, reference))
        chosen.append(reference)
    return chosen


def _owners(rows: Iterable[Any]) -> list[Owner]:
    return [(row.organization_id, row.id) for row in rows]


def _grouped(forms: Iterable[TestForm]) -> dict[UUID, list[TestForm]]:
    grouped: dict[UUID, list[TestForm]] = {}
    for form in forms:
        grouped.setdefault(form.test_id, []).append(form)
    return grouped
