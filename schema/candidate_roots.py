"""What can be asked about, and done to, candidates and departments."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import strawberry

from resolvers.candidates.commands import (
    UpsertCandidate,
    UpsertDepartment,
    upsert_candidates,
    upsert_departments,
)
from resolvers.candidates.reads import (
    CANDIDATES_BY_NAME,
    DEPARTMENTS_BY_NAME,
    candidates_by_id,
    candidates_count,
    candidates_page,
    departments_count,
    departments_page,
)
from resolvers.storage import one_row
from resolvers.storage.tables import Candidate as CandidateRow
from resolvers.viewer import EVERYTHING, Viewer
from resolvers.vocabulary import Gender
from schema.candidates import Candidate, Department
from schema.commands import Answer
from schema.contacts import (
    AddressInput,
    EmergencyContactInput,
    given_address,
    given_emergency_contact,
)
from schema.context import Info
from schema.declaring import input_type, object_type
from schema.fields import attribute, described
from schema.found import found
from schema.inputs import (
    EXTERNAL_IDS,
    ORIGIN,
    OriginInput,
    external_ids_of_input,
    origin_of,
    values_given,
)
from schema.lists import searchable
from schema.lookup import named
from schema.payloads import written
from schema.references import REF, ExternalIdInput, refs_of
from schema.scalars import URL, CountryCode
from schema.upserts import upsert


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


@object_type
class CandidateQueries:
    @found(description="A candidate; null where there is none that you may see.")
    async def candidate(self, info: Info, ref: REF) -> Candidate | None:
        return await named(info, CandidateRow, ref)

    candidates = searchable(
        CANDIDATES_BY_NAME,
        Candidate,
        candidates_page,
        candidates_count,
        description="The candidates that you may see, by last name.",
    )

    departments = searchable(
        DEPARTMENTS_BY_NAME,
        Department,
        departments_page,
        departments_count,
        description="The departments of the organization, by name.",
    )


async def _written_candidate(info: Info, answer: Answer) -> Candidate | None:
    """What was written is shown to whoever wrote it, also where it is outside of their scope."""
    candidate: Candidate | None = await written(info, "Candidate", answer)
    if candidate is None and answer.subject is not None:
        unconfined = replace(info.context.viewer, scope=EVERYTHING)
        row = one_row(await info.context.read(candidates_by_id(unconfined, [answer.subject])))
        candidate = None if row is None else Candidate.of(row)
    return candidate


@object_type
class CandidateMutations:
    upsert_candidate = upsert(
        Candidate,
        UpsertCandidateInput,
        upsert_candidates,
        description="Make or update a candidate. Needs MANAGE_CANDIDATES.",
        read=_written_candidate,
    )

    upsert_department = upsert(
        Department,
        UpsertDepartmentInput,
        upsert_departments,
        description="Make or update a department. Needs MANAGE_CANDIDATES.",
    )
