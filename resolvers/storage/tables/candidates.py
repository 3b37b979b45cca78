"""Candidates, what they are associated with, and departments."""

from datetime import date
from typing import Any
from uuid import UUID

from resolvers.storage.columns import choice, document, folded_text, key, sort_key, text
from resolvers.storage.tables.tenant import (
    Keyed,
    TableModel,
    check,
    index,
    of_organization,
    refers_to,
    unique,
)
from resolvers.vocabulary import Gender


class Department(Keyed, table=True):
    """A department at which candidates are registered."""

    __table_args__ = (
        of_organization(),
        unique("name"),
        index("uq_department_name_folded", "name_folded", unique=True),
        index("ix_department_sort_key", "sort_key", "id"),
    )

    name: str = text(200)
    name_folded: str = folded_text(default="")
    sort_key: str = sort_key(default="")


class Candidate(Keyed, table=True):
    """A person who is examined or taught.

    `agency_key` is the party that made the candidate, as in `agent_booking`: an agency fills only
    the empty fields of its own candidates. Null if staff or an import of candidates made it, or if
    it is not known; then no agency writes to it.
    """

    __table_args__ = (
        of_organization(),
        unique("reference"),
        index("uq_candidate_reference_folded", "reference_folded", unique=True),
        # how the students of agent bookings are matched
        index("ix_candidate_passport", "passport_number", where="passport_number is not null"),
        index("ix_candidate_born", "date_of_birth", where="date_of_birth is not null"),
        index("ix_candidate_sort_key", "sort_key", "id"),
        # A name is searched for by what it contains, so that every one of the organization's is
        # looked at: 100,000 take SQLite 10 ms by this index, which has all that is needed, and 16
        # by the rows; PostgreSQL reads the rows of a table that is one organization's, and takes
        # the index where there are others. Bookings are then found by ix_booking_candidate. To go
        # through 100,000 bookings and look at each one's candidate takes 450 ms where nobody has
        # the name; PostgreSQL does that by itself for names that many have, and then stops soon.
        index("ix_candidate_search", "search_text", "id"),
    )

    reference: str = text(50)
    reference_generated: bool = False
    first_names: str = text(200)
    last_name: str = text(200)
    # name and reference, case-folded here, once, since the two databases fold letters beyond ASCII
    # differently
    search_text: str = text(500)
    reference_folded: str = folded_text(default="")
    name_folded: str = folded_text(default="")
    email_folded: str | None = folded_text()
    sort_key: str = sort_key(default="")
    email: str | None = text(254)
    telephone: str | None = text(50)
    mobile: str | None = text(50)
    date_of_birth: date | None = None
    gender: Gender | None = choice(Gender)
    passport_number: str | None = text(50)
    passport_issuing_country: str | None = text(2)
    country_of_birth: str | None = text(2)
    nationality: str | None = text(2)
    address: Any = document(nullable=True)
    emergency_contact: Any = document(nullable=True)
    image_url: str | None = text(2000)
    agency_key: str | None = text(250)


class CandidateCentre(TableModel, table=True):
    """A centre that a candidate is associated with."""

    __tablename__ = "candidate_centre"
    __table_args__ = (
        refers_to("candidate"),
        refers_to("centre"),
        index("ix_candidate_centre_centre", "centre_id"),
    )

    organization_id: UUID = key(primary_key=True)
    candidate_id: UUID = key(primary_key=True)
    centre_id: UUID = key(primary_key=True)


class CandidateDuplicate(TableModel, table=True):
    """A candidate of another party that may be the same person; each pair is there both ways."""

    __tablename__ = "candidate_duplicate"
    __table_args__ = (
        refers_to("candidate"),
        refers_to("candidate", "duplicate_id"),
        check("other", "candidate_id <> duplicate_id"),
    )

    organization_id: UUID = key(primary_key=True)
    candidate_id: UUID = key(primary_key=True)
    duplicate_id: UUID = key(primary_key=True)


class CandidateSubject(TableModel, table=True):
    """A subject that a candidate is associated with."""

    __tablename__ = "candidate_subject"
    __table_args__ = (
        refers_to("candidate"),
        refers_to("subject"),
        index("ix_candidate_subject_subject", "subject_id"),
    )

    organization_id: UUID = key(primary_key=True)
    candidate_id: UUID = key(primary_key=True)
    subject_id: UUID = key(primary_key=True)


class CandidateDepartment(TableModel, table=True):
    """A department at which a candidate is registered."""

    __tablename__ = "candidate_department"
    __table_args__ = (refers_to("candidate"), refers_to("department"))

    organization_id: UUID = key(primary_key=True)
    candidate_id: UUID = key(primary_key=True)
    department_id: UUID = key(primary_key=True)


class CandidateModule(TableModel, table=True):
    """A module that makes a candidate eligible for the events that have it."""

    __tablename__ = "candidate_module"
    __table_args__ = (
        refers_to("candidate"),
        refers_to("module"),
        index("ix_candidate_module_module", "module_id"),
    )

    organization_id: UUID = key(primary_key=True)
    candidate_id: UUID = key(primary_key=True)
    module_id: UUID = key(primary_key=True)


class CandidateGroup(TableModel, table=True):
    """A learner group, known only by its UUID, that a candidate belongs to."""

    __tablename__ = "candidate_group"
    __table_args__ = (refers_to("candidate"), index("ix_candidate_group_group", "group_id"))

    organization_id: UUID = key(primary_key=True)
    candidate_id: UUID = key(primary_key=True)
    group_id: UUID = key(primary_key=True)
