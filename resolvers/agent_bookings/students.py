"""Matches students to candidates, and makes those that nobody is; domain.md, section 5.5.

Same passport number and issuing country, else same names in any case, date of birth and
nationality; of several the one that was made first. A match has only its empty fields filled.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.agent_bookings.submission import Student
from resolvers.bookings import loading
from resolvers.narrowing import search_text
from resolvers.storage.columns import new_key, one_of
from resolvers.storage.read import Read
from resolvers.storage.rows import changed, new_row
from resolvers.storage.tables import Candidate, Organization, columns, table
from resolvers.storage.unit_of_work import UnitOfWork

Asked = tuple[UUID, Student]
"""An organization, and a student whose fields are in order."""

Trait = tuple[Any, ...]
"""What two records of one person have in common."""


class Students:
    """The candidates that the students of a batch are, and those that it makes of them."""

    def __init__(self, work: UnitOfWork, asked: Sequence[Asked]) -> None:
        self._work = work
        self._by_trait: dict[Trait, Candidate] = {}
        self._know(_alike(work, asked))
        unknown = {of for of, student in asked if self._match(of, student) is None}
        if unknown:
            # who makes a candidate waits for whoever makes one just now, and then looks again
            work.rows(_locked(unknown))
            self._know(_alike(work, asked))
        matches = [match for of, student in asked if (match := self._match(of, student))]
        keys = [(match.organization_id, match.id) for match in matches]
        self._before: dict[UUID, Candidate] = loading.lock(work, Candidate, keys)
        self._now = dict(self._before)

    def candidate(self, organization_id: UUID, student: Student) -> Candidate:
        """The candidate that the student is, with what was empty filled; or a new one."""
        match = self._match(organization_id, student)
        if match is None:
            candidate = _made(organization_id, student)
        else:
            known = self._now.get(match.id, match)
            candidate = changed(known, **_filling(known, student))
        self._now[candidate.id] = candidate
        self._know([candidate])
        return candidate

    def write(self) -> None:
        """Insert who is new, and save who was filled."""
        made = [row for key, row in self._now.items() if key not in self._before]
        self._work.insert(Candidate, made)
        self._work.save(Candidate, [(row, self._now[key]) for key, row in self._before.items()])

    def _match(self, organization_id: UUID, student: Student) -> Candidate | None:
        passport = (student.passport_number, student.passport_issuing_country)
        person = (
            student.first_names,
            student.last_name,
            student.date_of_birth,
            student.nationality,
        )
        for trait in (_passport(organization_id, *passport), _person(organization_id, *person)):
            if trait in self._by_trait:
                return self._by_trait[trait]
        return None

    def _know(self, candidates: Iterable[Candidate]) -> None:
        """Enter candidates under their traits, the oldest first; who has a trait keeps it."""
        for row in sorted(candidates, key=lambda row: row.id):
            passport = (row.passport_number, row.passport_issuing_country)
            person = (row.first_names, row.last_name, row.date_of_birth, row.nationality)
            if None not in passport:
                self._by_trait.setdefault(_passport(row.organization_id, *passport), row)
            if None not in person:
                self._by_trait.setdefault(_person(row.organization_id, *person), row)


def _passport(organization_id: UUID, number: str | None, country: str | None) -> Trait:
    return ("passport", organization_id, number, country)


def _person(
    organization_id: UUID,
    first_names: str | None,
    last_name: str | None,
    born: date | None,
    nationality: str | None,
) -> Trait:
    names = ((first_names or "").casefold(), (last_name or "").casefold())
    return ("person", organization_id, *names, born, nationality)


def _made(organization_id: UUID, student: Student) -> Candidate:
    """A candidate with a reference of ours: nobody outside knows the person by one."""
    key = new_key()
    reference = f"STU-{key.hex[-12:]}"
    names = (student.first_names or "", student.last_name or "")
    return new_row(
        Candidate,
        organization_id=organization_id,
        id=key,
        reference=reference,
        reference_generated=True,
        first_names=names[0],
        last_name=names[1],
        search_text=search_text(" ".join(names), reference),
        **_values(student),
    )


def _values(student: Student) -> dict[str, Any]:
    """What is known of the student, by the candidate's columns."""
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
    """What is empty of a candidate and known of the student.

    Of another passport neither the number nor the country: together they would be of no passport.
    """
    values = {n: v for n, v in _values(student).items() if not getattr(known, n)}
    other_number = known.passport_number not in {None, student.passport_number}
    other_country = known.passport_issuing_country not in {None, student.passport_issuing_country}
    if other_number or other_country:
        values.pop("passport_number", None)
        values.pop("passport_issuing_country", None)
    return values


def _alike(work: UnitOfWork, asked: Sequence[Asked]) -> list[Candidate]:
    """Candidates that share a passport's number or a day of birth with one of the students."""
    passports = [(of, s.passport_number) for of, s in asked if s.passport_number is not None]
    born = [(of, s.date_of_birth) for of, s in asked if s.date_of_birth is not None]
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
