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
    ORIGIN,
    OriginInput,
    external_ids_of_input,
    origin_of,
    values_given,
)
from schema.grammar.references import ExternalIdInput, RefInput, optional_ref, refs_of


@input_type(description="Somebody who works with the gateway, known by the reference.")
class UpsertUserInput:
    reference: str = attribute(description="What the user is known by.")
    name: str = attribute(description="The user's name.")
    email: str | None = described("The user's email address.")
    role: Role = attribute(description="What the user may do.")
    active: bool | None = described(
        "Whether the user has any rights. Omitted or null: unchanged, so an inactive user stays "
        "inactive; a new user is active."
    )
    may_mark: bool = attribute(default=False, description="Whether the user can be a marker.")
    may_moderate: bool = attribute(
        default=False, description="Whether the user can be a moderator."
    )
    centre_ids: list[strawberry.ID] | None = described("The centres in scope; a list replaces.")
    subject_ids: list[strawberry.ID] | None = described("The subjects in scope; a list replaces.")
    agent_office_ids: list[strawberry.ID] | None = described(
        "The agent offices in scope, for the role AGENT; a list replaces."
    )
    candidate: RefInput | None = described("Who the user is, for the role CANDIDATE.")
    external_ids: list[ExternalIdInput] | None = described(EXTERNAL_IDS)
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


@input_type(description="Other rules; what is left out stays as it is, a list replaces.")
class UpdateSettingsInput:
    test_scheduling_over_multiple_days: bool | None = described(
        "Whether the window of a test schedule may have several days."
    )
    purchase_order_number_for_scheduling: bool | None = described(
        "Whether a test schedule needs a purchase order."
    )
    enforce_times_required: bool | None = described(
        "Whether a test schedule must say if its times are enforced."
    )
    window_buffer_hours: int | None = described("From 0 to 168.")
    allow_resit_after_pass: bool | None = described(
        "Whether a test that was passed may be sat again."
    )
    min_days_between_attempts: int | None = described("From 0 to 3,650.")
    cancel_cut_off_minutes: int | None = described("From 0 to 525,600.")
    payment_due_hours: int | None = described("From 1 to 8,760.")
    conflict_policy: ConflictPolicy | None = described(
        "What happens to a booking at a time that the candidate has another."
    )
    exam_types: list[str] | None = described("The exam types that an event may have.")
    exam_formats: list[str] | None = described("The exam formats that an event may have.")
    billing_codes: list[str] | None = described("The billing codes that an event may have.")

    def to_command(self, viewer: DomainViewer) -> UpdateSettings:
        return UpdateSettings(viewer=viewer, **values_given(self))
