"""Inputs of the mutations of candidates."""

from datetime import date
from uuid import UUID

import strawberry

from resolvers.candidates.commands import UpsertCandidate, UpsertDepartment
from resolvers.viewer import Viewer
from resolvers.vocabulary import Gender
from schema.grammar.contacts import (
    AddressInput,
    EmergencyContactInput,
    given_address,
    given_emergency_contact,
)
from schema.grammar.declaring import input_type
from schema.grammar.fields import attribute, described
from schema.grammar.inputs import (
    EXTERNAL_IDS,
    ORIGIN,
    OriginInput,
    external_ids_of_input,
    origin_of,
    values_given,
)
from schema.grammar.references import ExternalIdInput, refs_of
from schema.grammar.scalars import URL, CountryCode


@input_type(
    description="A candidate, known by the reference. What is left out or null stays as it is."
)
class UpsertCandidateInput:
    reference: str = attribute(description="Surpass reference code, Shift iQ person code.")
    first_names: str = attribute(description="First names.")
    last_name: str = attribute(description="Last name.")
    email: str | None = described("Email address.")
    telephone: str | None = described("Telephone number.")
    mobile: str | None = described("Mobile number.")
    date_of_birth: date | None = described("Date of birth.")
    gender: Gender | None = described("Gender.")
    centre_ids: list[strawberry.ID] | None = described(
        "The candidate's centres; a list replaces. A caller with a restricted scope names only its "
        "own centres, which are the default for a new candidate, and leaves the others unchanged."
    )
    subject_ids: list[strawberry.ID] | None = described(
        "The candidate's subjects; a list replaces."
    )
    department_ids: list[strawberry.ID] | None = described(
        "Where the candidate is registered; a list replaces."
    )
    external_ids: list[ExternalIdInput] | None = described(EXTERNAL_IDS)
    origin: OriginInput | None = described(ORIGIN)
    passport_number: str | None = described("Passport number.")
    passport_issuing_country: CountryCode | None = described("Who issued the passport.")
    country_of_birth: CountryCode | None = described("Country of birth.")
    nationality: CountryCode | None = described("Nationality.")
    address: AddressInput | None = described("Postal address; replaces the one before.")
    emergency_contact: EmergencyContactInput | None = described(
        "Whom to call; replaces the one before."
    )
    image_url: URL | None = described("Where a picture is.")
    module_ids: list[strawberry.ID] | None = described(
        "Modules that make the candidate eligible; a list replaces."
    )
    group_identifiers: list[UUID] | None = described("Learner groups; a list replaces.")

    def to_command(self, viewer: Viewer) -> UpsertCandidate:
        return UpsertCandidate(
            viewer=viewer,
            **values_given(
                self,
                "address",
                "emergency_contact",
                "centre_ids",
                "subject_ids",
                "department_ids",
                "module_ids",
                "external_ids",
                "origin",
            ),
            address=given_address(self.address),
            emergency_contact=given_emergency_contact(self.emergency_contact),
            centre_ids=refs_of(self.centre_ids, "Centre"),
            subject_ids=refs_of(self.subject_ids, "Subject"),
            department_ids=refs_of(self.department_ids, "Department"),
            module_ids=refs_of(self.module_ids, "Module"),
            external_ids=external_ids_of_input(self.external_ids),
            origin=origin_of(self.origin),
        )


@input_type(description="A department, known by its name.")
class UpsertDepartmentInput:
    name: str = attribute(description="Its name.")
    external_ids: list[ExternalIdInput] | None = described(EXTERNAL_IDS)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> UpsertDepartment:
        return UpsertDepartment(
            viewer=viewer,
            name=self.name,
            external_ids=external_ids_of_input(self.external_ids),
            origin=origin_of(self.origin),
        )
