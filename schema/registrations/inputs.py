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
    description="Criteria of Shift iQ's search. If you give several, all must match. "
    "Empty texts are ignored.",
)
class RegistrationCriteriaInput:
    name: str | None = described("Text in the candidate's first or last name. Case is ignored.")
    email: str | None = described(
        "Text in the candidate's email address. Case is ignored. Needs VIEW_PII."
    )
    code: str | None = described("The candidate's reference (person code in Shift iQ).")
    last_change_time_since: datetime | None = described(
        "Registrations that were last changed at this time or later."
    )
    last_change_time_before: datetime | None = described(
        "Registrations that were last changed before this time."
    )


REGISTRATION_ID = "Global id of the registration."
NEW_EVENT = "needed where the event has to be made, one of the site's unless it lists none."


@input_type(
    description="An event, identified by its centre and start.",
    command=CommandNames(
        {name: f"event_{name}" for name in ("start", "exam_type", "exam_format", "billing_code")}
    ),
)
class LaxEventInput:
    centre: UUID | None = described(
        "UUID of the centre in Shift iQ, or the UUID of our own centre."
    )
    event_start: str | None = described(
        "Start of the event, in ISO 8601 with an offset, e.g. 2027-03-01T09:00:00Z."
    )
    event_exam_type: str | None = described(f"The exam type; {NEW_EVENT}")
    event_exam_format: str | None = described(
        f"The exam format; {NEW_EVENT} A transfer copies that of the event before."
    )
    event_billing_code: str | None = described(
        f"The billing code; {NEW_EVENT} A transfer copies that of the event before."
    )
    on_no_match: OnNoMatch = attribute(
        default=OnNoMatch.CREATE, description="What to do if there is no such event."
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
    description="The event to register for. Give `event` to name it, or `lax` to find it "
    "by centre and start.",
    command=CommandNames(inlines=["event", "lax"]),
)
class RegistrationTargetInput:
    event: RefInput | None = attribute(
        default=UNSET, description="The event, by id, identifier or external key."
    )
    lax: LaxEventInput | None = attribute(
        default=UNSET,
        description="The event, by its centre and start. It can be created if it does not exist.",
    )

    def to_target(self) -> Ref | LaxEvent:
        if isinstance(self.lax, LaxEventInput):
            return self.lax.to_target()
        assert isinstance(self.event, RefInput)
        return self.event.to_ref("Event")


@input_type(description="The registration to create: who registers for which event.")
class BookRegistrationInput:
    registration: UUID | None = described(
        "Your own UUID for the registration, never used before. By default, the gateway "
        "creates one; required with `lax`."
    )
    target: RegistrationTargetInput = attribute(description="The event to register for.")
    candidate: RefInput = attribute(description="The candidate who registers.")
    test_form: str | None = described(
        "Code of a published test form that is not bilingual. Required with `lax`."
    )
    registrant_type: str | None = described(
        'The candidate\'s role at the event, 1 to 200 characters, e.g. "Apprentice".'
    )
    accommodations: list[AccommodationInput] | None = described(
        "Exam accommodations to grant at once, at most 500, each of a different type."
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
    description="The registration to transfer, and its new event. Its test form stays the same.",
    command=CommandNames({"reason": "message"}),
)
class TransferRegistrationInput:
    registration_id: strawberry.ID = attribute(description=REGISTRATION_ID)
    target: RegistrationTargetInput = attribute(description="The event to transfer to.")
    candidate: RefInput = attribute(
        description="Check: the registration must belong to this candidate."
    )
    message: str = attribute(
        description="Why the registration is transferred, 1 to 500 characters. Stored in the "
        "history."
    )
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


@input_type(description="The registration, and its new test form.")
class ChangeAssessmentInput:
    registration_id: strawberry.ID = attribute(description=REGISTRATION_ID)
    test_form: str = attribute(description="Code of a published test form that is not bilingual.")
    expected_version: int | None = described(EXPECTED_VERSION)
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> ChangeAssessment:
        return ChangeAssessment(
            viewer=viewer,
            registration=ref_of(self.registration_id, "Registration"),
            test_form=self.test_form,
            expected_version=given(self.expected_version),
            origin=origin_of(self.origin),
        )


@input_type(description="The registration to delete.")
class DeleteRegistrationInput:
    registration_id: strawberry.ID = attribute(description=REGISTRATION_ID)
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> DeleteRegistration:
        return DeleteRegistration(
            viewer=viewer,
            registration=ref_of(self.registration_id, "Registration"),
            origin=origin_of(self.origin),
        )
