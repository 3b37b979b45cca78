"""Matches students with candidates, or creates new candidates (domain.md, section 5.5).

A match has the same passport number, issuing country and last name, or else the same names in any
case, date of birth and nationality. Of several matches, the one that the agency created is used, or
else the oldest. Empty fields are filled only in candidates that the same agency created. Candidates
of other parties do not change; staff see them as possible duplicates.
"""

from bisect import insort
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.agent_bookings.known_students import KnownStudents, StudentOf
from resolvers.agent_bookings.submission import Student
from resolvers.bookings import loading
from resolvers.candidates.duplicates import Pair, record_duplicates
from resolvers.searching import search_text
from resolvers.storage.columns import new_key, one_of
from resolvers.storage.read import Read
from resolvers.storage.rows import changed, new_row
from resolvers.storage.tables import Candidate, Organization, columns, table
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.texts import folded

Trait = tuple[Any, ...]
"""A value that identifies a person."""


class Students:
    """The candidates for the students of a batch, existing and new."""

    def __init__(self, work: UnitOfWork, asked: Sequence[StudentOf]) -> None:
        self._work = work
        self._known = KnownStudents(work)
        self._rows: dict[UUID, Candidate] = {}
        self._by_trait: dict[Trait, list[UUID]] = {}
        self._pairs: set[Pair] = set()
        self._load(asked)
        unknown = {one.organization_id for one in asked if self._match(one) is None}
        if unknown:
            # concurrent batches of an organization create candidates one after another, and read
            # again
            work.rows(_locked(unknown))
            self._load(asked)
        matches = [match for one in asked if (match := self._match(one))]
        keys = [(match.organization_id, match.id) for match in matches]
        self._before: dict[UUID, Candidate] = loading.lock(work, Candidate, keys)
        self._now = dict(self._before)
        self._rows |= self._before

    def candidate(self, asked: StudentOf) -> Candidate:
        """The candidate that matches the student, or a new one."""
        match = self._match(asked)
        if match is None:
            candidate = _made(asked)
        elif match.agency_key == asked.agency_key:
            candidate = changed(match, **_filling(match, asked.student))
        else:
            candidate = match
        others = [row for row in self._alike(asked) if not self._known.may_use(asked, row)]
        self._pairs |= {(candidate.organization_id, candidate.id, row.id) for row in others}
        self._now[candidate.id] = candidate
        self._enter([candidate])
        return candidate

    def write(self) -> None:
        """Insert new candidates, save changed ones, and record possible duplicates."""
        made = [row for key, row in self._now.items() if key not in self._before]
        self._work.insert(Candidate, made)
        self._work.save(Candidate, [(row, self._now[key]) for key, row in self._before.items()])
        record_duplicates(self._work, self._pairs)

    def _load(self, asked: Sequence[StudentOf]) -> None:
        """Add candidates that may match students, and read which of them may be used."""
        self._enter(_candidates(self._work, asked))
        self._known.look_up([(one, row) for one in asked for row in self._alike(one)])

    def _match(self, asked: StudentOf) -> Candidate | None:
        """The best match that may be used, preferably a candidate of the agency.

        So a booking that staff submit again keeps the agency's candidate, and does not reveal a
        candidate of another party.
        """
        usable = [row for row in self._alike(asked) if self._known.may_use(asked, row)]
        return min(usable, key=lambda row: row.agency_key != asked.agency_key, default=None)

    def _alike(self, asked: StudentOf) -> list[Candidate]:
        """The candidates that share an identifying value with the student, best match first."""
        keys = (
            key
            for trait in _traits(asked.organization_id, asked.student)
            for key in self._by_trait.get(trait, ())
        )
        return [self._rows[key] for key in dict.fromkeys(keys)]

    def _enter(self, candidates: Iterable[Candidate]) -> None:
        """Index candidates by their identifying values, oldest first."""
        for row in candidates:
            self._rows[row.id] = row
            for trait in _traits(row.organization_id, row):
                keys = self._by_trait.setdefault(trait, [])
                if row.id not in keys:
                    insort(keys, row.id)


def _traits(organization_id: UUID, of: Student | Candidate) -> list[Trait]:
    """The complete identifying values of a person, strongest first."""
    first_names, last_name = folded(of.first_names or ""), folded(of.last_name or "")
    passport = (of.passport_number, of.passport_issuing_country)
    person: tuple[date | str | None, ...] = (of.date_of_birth, of.nationality)
    traits: list[Trait] = []
    if None not in passport:
        traits.append(("passport", organization_id, *passport, last_name))
    if None not in person:
        traits.append(("person", organization_id, first_names, last_name, *person))
    return traits


def _made(asked: StudentOf) -> Candidate:
    """A new candidate of the agency, with a generated reference."""
    key, student = new_key(), asked.student
    reference = f"STU-{key.hex[-12:]}"
    names = (student.first_names or "", student.last_name or "")
    return new_row(
        Candidate,
        organization_id=asked.organization_id,
        id=key,
        reference=reference,
        reference_generated=True,
        agency_key=asked.agency_key,
        first_names=names[0],
        last_name=names[1],
        search_text=search_text(" ".join(names), reference),
        **_values(student),
    )


def _values(student: Student) -> dict[str, Any]:
    """The student's values by the candidate's columns."""
    address, contact = student.address, student.emergency_contact
    return {
        "email": student.email,
        "telephone": student.telephone,
        "mobile": student.mobile,
        "date_of_birth": student.date_of_birth,
        "gender": student.gender,
        "passport_number": student.passport_number,
        "passport_issuing_country": student.passport_issuing_country,
        "country_of_birth": student.country_of_birth,
        "nationality": student.nationality,
        "address": address and address.as_kept(),
        "emergency_contact": contact and contact.as_kept(),
    }


def _filling(known: Candidate, student: Student) -> dict[str, Any]:
    """The student's values for empty columns of a candidate.

    The number and the country of a passport are filled only together.
    """
    values = {n: v for n, v in _values(student).items() if not getattr(known, n)}
    other_number = known.passport_number not in {None, student.passport_number}
    other_country = known.passport_issuing_country not in {None, student.passport_issuing_country}
    if other_number or other_country:
        values.pop("passport_number", None)
        values.pop("passport_issuing_country", None)
    return values


def _candidates(work: UnitOfWork, asked: Sequence[StudentOf]) -> list[Candidate]:
    """Candidates that share a passport number or a date of birth with one of the students."""
    of_students = [(one.organization_id, one.student) for one in asked]
    passports = [(of, s.passport_number) for of, s in of_students if s.passport_number is not None]
    born = [(of, s.date_of_birth) for of, s in of_students if s.date_of_birth is not None]
    return [
        *loading.of_keys(work, Candidate, "passport_number", passports),
        *loading.of_keys(work, Candidate, "date_of_birth", born),
    ]


def _locked(organizations: Iterable[UUID]) -> Read[Organization]:
    """The organizations, locked in key order; SQLite has one writer and needs no lock."""

    def build(dialect: str) -> sa.Executable:
        c = columns(Organization)
        statement = sa.select(table(Organization)).where(one_of(c.id, "keys")).order_by(c.id)
        return statement.with_for_update(key_share=True) if dialect == "postgresql" else statement

    return Read("organizations that make candidates", build, {"keys": sorted(set(organizations))})
