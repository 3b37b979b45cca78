"""Inputs of the mutations of registrations."""

from datetime import datetime
from uuid import UUID

import strawberry
from strawberry import UNSET

from resolvers.bookings.accommodations import InitialAccommodation
from resolvers.references import Ref
from resolvers.registrations.commands import (
    BookRegistration,
    ChangeAssessment,
    DeleteRegistration,
    LaxEvent,
    TransferRegistration,
)
from resolvers.viewer import Viewer
from resolvers.vocabulary import OnNoMatch, RuleOverride
from schema.bookings.inputs import AccommodationInput
from schema.grammar.declaring import CommandNames, input_type
from schema.grammar.fields import attribute, described
from schema.grammar.inputs import (
    EXPECTED_VERSION,
    IDEMPOTENCY_KEY,
    ORIGIN,
    OVERRIDES,
    OriginInput,
    given,
    given_tuple,
    origin_of,
)
from schema.grammar.references import RefInput, ref_of


@input_type(
    name="RegistrationCriteria",
    description="Shift iQ v1 search and count. Given criteria are ANDed; an empty text is none.",
)
class RegistrationCriteriaInput:
    name: str | None = described("Contained in first names and last name, in any case.")
    email: str | None = described("Contained in the candidate's email, any case; needs VIEW_PII.")
    code: str | None = described("Is the candidate's reference.")
    last_change_time_since: datetime | None = described("Last changed at this instant or later.")
    last_change_time_before: datetime | None = described("Last changed before this instant.")


REGISTRATION_ID = "The registration's global id."
NEW_EVENT = "needed where the event has to be made, one of the site's unless it lists none."


@input_type(
    description="An event by its centre and start, as a lax call has it.",
    command=CommandNames(
        {name: f"event_{name}" for name in ("start", "exam_type", "exam_format", "billing_code")}
    ),
)
class LaxEventInput:
    centre: UUID | None = described("The centre: Shift iQ's UUID of it, or our own key.")
    event_start: str | None = described("When it starts: ISO 8601 with an offset.")
    event_exam_type: str | None = described(f"The exam type; {NEW_EVENT}")
    event_exam_format: str | None = described(
        f"The exam format; {NEW_EVENT} A transfer copies that of the event before."
    )
    event_billing_code: str | None = described(
        f"The billing code; {NEW_EVENT} A transfer copies that of the event before."
    )
    on_no_match: OnNoMatch = attribute(
        default=OnNoMatch.CREATE, description="What happens where there is no such event."
    )

    def to_target(self) -> LaxEvent:
        return LaxEvent(
            centre=given(self.centre),
            start=given(self.event_start),
            exam_type=given(self.event_exam_type),
            exam_format=given(self.event_exam_format),
            billing_code=given(self.event_billing_code),
            on_no_match=self.on_no_match,
        )


@input_type(
    one_of=True,
    description="Strict names the event; lax looks it up by centre and start, and makes it if "
    "there is none.",
    command=CommandNames(inlines=["event", "lax"]),
)
class RegistrationTargetInput:
    event: RefInput | None = attribute(default=UNSET, description="The event by name.")
    lax: LaxEventInput | None = attribute(
        default=UNSET, description="The event by its centre and start."
    )

    def to_target(self) -> Ref | LaxEvent:
        if isinstance(self.lax, LaxEventInput):
            return self.lax.to_target()
        assert isinstance(self.event, RefInput)
        return self.event.to_ref("Event")


@input_type(description="A candidate's registration for an event.")
class BookRegistrationInput:
    registration: UUID | None = described(
        "The caller's own UUID, never used before; made here when absent and the target is strict."
    )
    target: RegistrationTargetInput = attribute(description="For which event.")
    candidate: RefInput = attribute(description="Who registers.")
    test_form: str | None = described(
        "The code of a published form that is not bilingual; required by a lax target."
    )
    registrant_type: str | None = described("As what the candidate registers, 1 to 200 characters.")
    accommodations: list[AccommodationInput] | None = described(
        "What is granted from the start, at most 500, each of another type."
    )
    overrides: list[RuleOverride] | None = described(OVERRIDES)
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> BookRegistration:
        return BookRegistration(
            viewer=viewer,
            target=self.target.to_target(),
            candidate=self.candidate.to_ref("Candidate"),
            registration=given(self.registration),
            test_form=given(self.test_form),
            registrant_type=given(self.registrant_type),
            accommodations=tuple(
                InitialAccommodation(**one.to_terms()) for one in given_tuple(self.accommodations)
            ),
            overrides=given_tuple(self.overrides),
            origin=origin_of(self.origin),
        )


@input_type(
    description="Where a registration goes; its test form stays.",
    command=CommandNames({"reason": "message"}),
)
class TransferRegistrationInput:
    registration_id: strawberry.ID = attribute(description=REGISTRATION_ID)
    target: RegistrationTargetInput = attribute(description="To which event.")
    candidate: RefInput = attribute(description="Whose registration it must be.")
    message: str = attribute(description="Why, 1 to 500 characters.")
    overrides: list[RuleOverride] | None = described(OVERRIDES)
    expected_version: int | None = described(EXPECTED_VERSION)
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> TransferRegistration:
        return TransferRegistration(
            viewer=viewer,
            registration=ref_of(self.registration_id, "Registration"),
            target=self.target.to_target(),
            candidate=self.candidate.to_ref("Candidate"),
            reason=self.message,
            overrides=given_tuple(self.overrides),
            expected_version=given(self.expected_version),
            origin=origin_of(self.origin),
        )


@input_type(description="Another test form for a registration.")
class ChangeAssessmentInput:
    registration_id: strawberry.ID = attribute(description=REGISTRATION_ID)
    test_form: str = attribute(description="The code of a published form that is not bilingual.")
    expected_version: int | None = described(EXPECTED_VERSION)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> ChangeAssessment:
        return ChangeAssessment(
            viewer=viewer,
            registration=ref_of(self.registration_id, "Registration"),
            test_form=self.test_form,
            expected_version=given(self.expected_version),
            origin=origin_of(self.origin),
        )


@input_type(description="A registration to take back.")
class DeleteRegistrationInput:
    registration_id: strawberry.ID = attribute(description=REGISTRATION_ID)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> DeleteRegistration:
        return DeleteRegistration(
            viewer=viewer,
            registration=ref_of(self.registration_id, "Registration"),
            origin=origin_of(self.origin),
        )
