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
    IDEMPOTENCY_KEY,
    ORIGIN,
    OriginInput,
    external_ids_of_input,
    origin_of,
    values_given,
)
from schema.grammar.references import ExternalIdInput, refs_of
from schema.grammar.scalars import URL, CountryCode


@input_type(
    description="The candidate to create or update. An omitted or null field keeps its value."
)
class UpsertCandidateInput:
    reference: str = attribute(
        description="Your unique reference for the candidate. If one with it exists, it is "
        "updated; otherwise it is created."
    )
    first_names: str = attribute(description="First names of the candidate.")
    last_name: str = attribute(description="Last name of the candidate.")
    email: str | None = described("Email address of the candidate.")
    telephone: str | None = described("Telephone number of the candidate.")
    mobile: str | None = described("Mobile number of the candidate.")
    date_of_birth: date | None = described("Date of birth of the candidate.")
    gender: Gender | None = described("Gender of the candidate.")
    centre_ids: list[strawberry.ID] | None = described(
        "Global ids of the candidate's centres. Replaces the stored list. If your scope "
        "is restricted, you can name only your own centres; a new candidate gets them by "
        "default, and other centres of the candidate stay."
    )
    subject_ids: list[strawberry.ID] | None = described(
        "Global ids of the candidate's subjects. Replaces the stored list."
    )
    department_ids: list[strawberry.ID] | None = described(
        "Global ids of the departments where the candidate is registered. Replaces the stored list."
    )
    external_ids: list[ExternalIdInput] | None = described(EXTERNAL_IDS)
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)
    passport_number: str | None = described("Passport number of the candidate.")
    passport_issuing_country: CountryCode | None = described("Country that issued the passport.")
    country_of_birth: CountryCode | None = described("Country where the candidate was born.")
    nationality: CountryCode | None = described("Nationality of the candidate.")
    address: AddressInput | None = described(
        "Postal address of the candidate. Replaces the stored one as a whole."
    )
    emergency_contact: EmergencyContactInput | None = described(
        "Person to contact in an emergency. Replaces the stored one as a whole."
    )
    image_url: URL | None = described("URL of a photo of the candidate.")
    module_ids: list[strawberry.ID] | None = described(
        "Global ids of the modules that make the candidate eligible for events. Replaces "
        "the stored list."
    )
    group_identifiers: list[UUID] | None = described(
        "UUIDs of the candidate's groups in Shift iQ (learner groups). Replaces the stored list."
    )

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


@input_type(description="The department to create. If one with this name exists, nothing changes.")
class UpsertDepartmentInput:
    name: str = attribute(description="Name of the department, unique within the organization.")
    external_ids: list[ExternalIdInput] | None = described(EXTERNAL_IDS)
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> UpsertDepartment:
        return UpsertDepartment(
            viewer=viewer,
            name=self.name,
            external_ids=external_ids_of_input(self.external_ids),
            origin=origin_of(self.origin),
        )
