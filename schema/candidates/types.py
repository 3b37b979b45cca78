"""Candidates, and the departments at which they are registered."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from resolvers.candidates.visible import sees_duplicates
from resolvers.vocabulary import Gender, Permission
from schema.bookings.lists import BOOKING_FILTER, bookings_of
from schema.grammar.connections import Connection
from schema.grammar.contacts import Address, EmergencyContact, address_of, emergency_contact_of
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.fields import column, derived, relation
from schema.grammar.lists import PageArguments, listed
from schema.grammar.node import Node, Sourced
from schema.grammar.scalars import URL, CountryCode, EmailAddress

if TYPE_CHECKING:
    from schema.bookings.types import Booking
    from schema.centres.types import Centre
    from schema.tests.types import Module, Subject


PII = Permission.VIEW_PII


@object_type(description="A department where candidates are registered.")
class Department(Node, Sourced):
    name: str = column(description="Name of the department, unique within the organization.")


@object_type(description="A person who takes tests or attends courses.")
class Candidate(Node, Sourced):
    reference: str = column(
        description="Unique reference of the candidate: reference code in Surpass, person "
        "code in Shift iQ."
    )
    reference_generated: bool = column(
        description="True if the gateway generated the reference. It is then not a person "
        "code of Shift iQ."
    )
    first_names: str = column(description="First names of the candidate.")
    last_name: str = column(description="Last name of the candidate.")
    email: EmailAddress | None = column(
        mask=PII, description="Email address of the candidate. Null without VIEW_PII."
    )
    telephone: str | None = column(
        mask=PII, description="Telephone number of the candidate. Null without VIEW_PII."
    )
    mobile: str | None = column(
        mask=PII, description="Mobile number of the candidate. Null without VIEW_PII."
    )
    date_of_birth: date | None = column(
        mask=PII, description="Date of birth of the candidate. Null without VIEW_PII."
    )
    gender: Gender | None = column(description="Gender of the candidate.")
    passport_number: str | None = column(
        mask=PII, description="Passport number of the candidate. Null without VIEW_PII."
    )
    passport_issuing_country: CountryCode | None = column(
        mask=PII, description="Country that issued the passport. Null without VIEW_PII."
    )
    country_of_birth: CountryCode | None = column(
        description="Country where the candidate was born."
    )
    nationality: CountryCode | None = column(description="Nationality of the candidate.")
    address: Address | None = column(
        mask=PII,
        convert=address_of,
        description="Postal address of the candidate. Null without VIEW_PII.",
    )
    emergency_contact: EmergencyContact | None = column(
        mask=PII,
        convert=emergency_contact_of,
        description="Person to contact in an emergency. Null without VIEW_PII.",
    )
    image_url: URL | None = column(
        mask=PII, description="URL of a photo of the candidate. Null without VIEW_PII."
    )
    departments: list[Department] = relation(
        "departments_of_candidate",
        description="Departments where the candidate is registered, sorted by name.",
    )
    centres: list[Annotated["Centre", strawberry.lazy("schema.centres.types")]] = relation(
        "centres_of_candidate", description="Centres of the candidate, sorted by name."
    )
    subjects: list[Annotated["Subject", strawberry.lazy("schema.tests.types")]] = relation(
        "subjects_of_candidate", description="Subjects of the candidate, sorted by name."
    )
    modules: list[Annotated["Module", strawberry.lazy("schema.tests.types")]] = relation(
        "modules_of_candidate",
        description="Modules that make the candidate eligible for events, sorted by name.",
    )

    possible_duplicates: (
        list[Annotated["Candidate", strawberry.lazy("schema.candidates.types")]] | None
    ) = relation(
        "duplicates_of_candidate",
        shown_to=sees_duplicates,
        description="Candidates who may be the same person, oldest first; at most 500. They are "
        "recorded when a student of an agency has the passport and last name, or the names, date "
        "of birth and nationality, of a candidate that the agency may not use. Null without "
        "VIEW_PII, and unless you see the whole organization.",
    )

    full_name: str = derived(
        "first_names",
        "last_name",
        by=lambda first, last: f"{first} {last}",
        description="First names and last name, separated by a space.",
    )
    group_identifiers: list[UUID] = relation(
        "groups_of_candidate",
        pick="group_id",
        description="UUIDs of the candidate's groups in Shift iQ. Compare with "
        "`Event.learnerRegistrationGroupIdentifier`.",
    )

    @listed("id", description="Bookings of the candidate that you may see, sorted by start.")
    def bookings(
        self,
        info: Info,
        page: PageArguments,
        filter: BOOKING_FILTER = UNSET,
    ) -> Connection[Annotated["Booking", strawberry.lazy("schema.bookings.types")]]:
        listing: Any = bookings_of(
            "candidate_id",
            page,
            filter=filter,
            now=info.context.now,
        )
        return listing
