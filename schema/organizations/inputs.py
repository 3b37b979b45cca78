"""Inputs of the mutations of organizations."""

import strawberry

from resolvers.organizations.settings import UpdateSettings
from resolvers.organizations.users import UpsertUser
from resolvers.viewer import Viewer as DomainViewer
from resolvers.vocabulary import ConflictPolicy, Role
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
from schema.grammar.references import ExternalIdInput, RefInput, optional_ref, refs_of


@input_type(description="The user to create or update.")
class UpsertUserInput:
    reference: str = attribute(
        description="Your unique reference for the user. If one with it exists, they are "
        "updated; otherwise they are created."
    )
    name: str = attribute(description="Name of the user.")
    email: str | None = described("Email address of the user.")
    role: Role = attribute(description="Role of the user. It determines the user's permissions.")
    active: bool | None = described(
        "False removes all rights of the user. Omitted or null keeps the value, so an "
        "inactive user stays inactive; a new user is active."
    )
    may_mark: bool = attribute(
        default=False, description="True if test schedules can name the user as marker."
    )
    may_moderate: bool = attribute(
        default=False, description="True if test schedules can name the user as moderator."
    )
    centre_ids: list[strawberry.ID] | None = described(
        "Global ids of the centres that the user sees. Replaces the stored list; without "
        "centres, the user is not restricted by centre."
    )
    subject_ids: list[strawberry.ID] | None = described(
        "Global ids of the subjects that the user sees. Replaces the stored list; without "
        "subjects, the user is not restricted by subject."
    )
    agent_office_ids: list[strawberry.ID] | None = described(
        "Global ids of the agent offices that the user books for. Only for the role "
        "AGENT. Replaces the stored list."
    )
    candidate: RefInput | None = described(
        "The candidate that the user is. Only for the role CANDIDATE."
    )
    external_ids: list[ExternalIdInput] | None = described(EXTERNAL_IDS)
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: DomainViewer) -> UpsertUser:
        return UpsertUser(
            viewer=viewer,
            **values_given(
                self,
                "centre_ids",
                "subject_ids",
                "agent_office_ids",
                "candidate",
                "external_ids",
                "origin",
            ),
            centre_ids=refs_of(self.centre_ids, "Centre"),
            subject_ids=refs_of(self.subject_ids, "Subject"),
            agent_office_ids=refs_of(self.agent_office_ids, "AgentOffice"),
            candidate=optional_ref(self.candidate, "Candidate"),
            external_ids=external_ids_of_input(self.external_ids),
            origin=origin_of(self.origin),
        )


@input_type(
    description="The settings to change. An omitted field keeps its value; a list replaces "
    "the stored one."
)
class UpdateSettingsInput:
    test_scheduling_over_multiple_days: bool | None = described(
        "True if test schedules may have windows on several dates."
    )
    purchase_order_number_for_scheduling: bool | None = described(
        "True if test schedules require a purchase order."
    )
    enforce_times_required: bool | None = described(
        "True if `enforceTimes` is required when a test is scheduled."
    )
    window_buffer_hours: int | None = described(
        "Buffer before the first and after the last window of a test schedule in hours, 0 to 168."
    )
    allow_resit_after_pass: bool | None = described(
        "True if a candidate may take a test again after passing it."
    )
    min_days_between_attempts: int | None = described(
        "Minimum number of days between two attempts at a test, 0 to 3,650."
    )
    cancel_cut_off_minutes: int | None = described(
        "Minimum time between a cancellation and the start in minutes, 0 to 525,600. 0 means "
        "no limit."
    )
    payment_due_hours: int | None = described(
        "Time that a candidate has to pay in hours, 1 to 8,760."
    )
    conflict_policy: ConflictPolicy | None = described(
        "What happens if a new booking overlaps another booking of the candidate."
    )
    exam_types: list[str] | None = described(
        "Exam types that events may have. An empty list allows any."
    )
    exam_formats: list[str] | None = described(
        "Exam formats that events may have. An empty list allows any."
    )
    billing_codes: list[str] | None = described(
        "Billing codes that events may have. An empty list allows any."
    )
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: DomainViewer) -> UpdateSettings:
        return UpdateSettings(
            viewer=viewer, origin=origin_of(self.origin), **values_given(self, "origin")
        )
