"""Registering, transferring, reassessing and deleting, strict and lax `[002]`."""

from uuid import UUID

import strawberry
from strawberry import UNSET

from resolvers.bookings.accommodations import Granted
from resolvers.references import Ref
from resolvers.registrations.assessments import change_assessments
from resolvers.registrations.booking import book
from resolvers.registrations.commands import (
    BookRegistration,
    ChangeAssessment,
    DeleteRegistration,
    LaxEvent,
    TransferRegistration,
)
from resolvers.registrations.deleting import delete
from resolvers.registrations.transferring import transfer
from resolvers.viewer import Viewer
from resolvers.vocabulary import OnNoMatch, RuleOverride
from schema.booking_mutations import AccommodationInput
from schema.commands import Answer, ask
from schema.context import Info
from schema.declaring import CommandNames, input_type, object_type
from schema.errors import BookingError
from schema.events import Event
from schema.fields import attribute, described
from schema.found import load_node
from schema.inputs import (
    EXPECTED_VERSION,
    IDEMPOTENCY_KEY,
    ORIGIN,
    OVERRIDES,
    Input,
    OriginInput,
    given,
    given_tuple,
    origin_of,
)
from schema.payloads import ERRORS, WARNINGS, DeletePayload, written
from schema.references import RefInput, ref_of
from schema.registrations import Registration
from schema.warnings import Warning

REGISTRATION_ID = "The registration's global id."
REPLAYED = "True when an idempotency key was answered from memory."
NEW_EVENT = "needed where the event has to be made, one of the site's unless it lists none."


@input_type(
    description="An event by its venue and start, as a lax call has it.",
    command=CommandNames(
        {
            name: f"event_{name}"
            for name in ("venue", "start", "exam_type", "exam_format", "billing_code")
        }
    ),
)
class LaxEventInput:
    event_venue: UUID | None = described("The venue: Shift iQ's UUID of it, or our own key.")
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
            venue=given(self.event_venue),
            start=given(self.event_start),
            exam_type=given(self.event_exam_type),
            exam_format=given(self.event_exam_format),
            billing_code=given(self.event_billing_code),
            on_no_match=self.on_no_match,
        )


@input_type(
    one_of=True,
    description="Strict names the event; lax looks it up by venue and start, and makes it if there "
    "is none.",
    command=CommandNames(inlines=["event", "lax"]),
)
class RegistrationTargetInput:
    event: RefInput | None = attribute(default=UNSET, description="The event by name.")
    lax: LaxEventInput | None = attribute(
        default=UNSET, description="The event by its venue and start."
    )

    def to_target(self) -> Ref | LaxEvent:
        if isinstance(self.lax, LaxEventInput):
            return self.lax.to_target()
        assert isinstance(self.event, RefInput)
        return self.event.to_ref("Event")


@input_type(description="A learner's registration for an event.")
class BookRegistrationInput:
    registration: UUID | None = described(
        "The caller's own UUID, never used before; made here when absent and the target is strict."
    )
    target: RegistrationTargetInput = attribute(description="For which event.")
    learner: RefInput = attribute(description="Who registers.")
    assessment: str | None = described(
        "The code of a published form that is not bilingual; required by a lax target."
    )
    registrant_type: str | None = described("As what the learner registers, 1 to 200 characters.")
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
            learner=self.learner.to_ref("Candidate"),
            registration=given(self.registration),
            assessment=given(self.assessment),
            registrant_type=given(self.registrant_type),
            accommodations=tuple(
                Granted(**one.to_terms()) for one in given_tuple(self.accommodations)
            ),
            overrides=given_tuple(self.overrides),
            origin=origin_of(self.origin),
        )


@input_type(description="Where a registration goes; its assessment form stays.")
class TransferRegistrationInput:
    registration_id: strawberry.ID = attribute(description=REGISTRATION_ID)
    target: RegistrationTargetInput = attribute(description="To which event.")
    learner: RefInput = attribute(description="Whose registration it must be.")
    reason: str = attribute(description="Why, 1 to 500 characters.")
    overrides: list[RuleOverride] | None = described(OVERRIDES)
    expected_version: int | None = described(EXPECTED_VERSION)
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> TransferRegistration:
        return TransferRegistration(
            viewer=viewer,
            registration=ref_of(self.registration_id, "Registration"),
            target=self.target.to_target(),
            learner=self.learner.to_ref("Candidate"),
            reason=self.reason,
            overrides=given_tuple(self.overrides),
            expected_version=given(self.expected_version),
            origin=origin_of(self.origin),
        )


@input_type(description="Another assessment form for a registration.")
class ChangeAssessmentInput:
    registration_id: strawberry.ID = attribute(description=REGISTRATION_ID)
    assessment: str = attribute(description="The code of a published form that is not bilingual.")
    expected_version: int | None = described(EXPECTED_VERSION)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> ChangeAssessment:
        return ChangeAssessment(
            viewer=viewer,
            registration=ref_of(self.registration_id, "Registration"),
            assessment=self.assessment,
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


@object_type(description="The registration that was made, or why it was not.")
class BookRegistrationPayload:
    registration: Registration | None = attribute(description="It; null with errors.")
    event: Event | None = attribute(description="What it is for; null with errors.")
    event_created: bool = attribute(description="Whether a lax call made the event.")
    replayed: bool = attribute(description=REPLAYED)
    warnings: list[Warning] = attribute(description=WARNINGS)
    errors: list[BookingError] = attribute(description=ERRORS)


@object_type(description="The registration where it is now, or why it was not transferred.")
class TransferRegistrationPayload:
    registration: Registration | None = attribute(description="It; null with errors.")
    from_: Event | None = attribute(name="from", description="Where it was; null with errors.")
    to: Event | None = attribute(description="Where it is now; null with errors.")
    event_created: bool = attribute(description="Whether a lax call made the event.")
    replayed: bool = attribute(description=REPLAYED)
    warnings: list[Warning] = attribute(description=WARNINGS)
    errors: list[BookingError] = attribute(description=ERRORS)


@object_type(description="The registration with its form, or why it has it not.")
class ChangeAssessmentPayload:
    registration: Registration | None = attribute(description="It; null with errors.")
    errors: list[BookingError] = attribute(description=ERRORS)


async def _event(info: Info, answer: Answer, fact: str) -> Event | None:
    """The event that the outcome names so."""
    key = answer.fact(fact)
    event: Event | None = None if key is None else await load_node(info, "Event", UUID(key))
    return event


@object_type
class RegistrationMutations:
    @strawberry.mutation(
        description="Register a learner for an event, strict or lax: a lax call makes an event "
        "that is not there. Needs BOOK."
    )
    async def book_registration(
        self, info: Info, input: Input[BookRegistrationInput]
    ) -> BookRegistrationPayload | None:
        answer = await ask(info, book, input)
        return BookRegistrationPayload(
            registration=await written(info, "Registration", answer),
            event=await _event(info, answer, "event"),
            event_created=bool(answer.fact("eventCreated")),
            replayed=answer.replayed,
            warnings=answer.warnings,
            errors=answer.errors,
        )

    @strawberry.mutation(
        description="Transfer a registration to another event, strict or lax; the assessment form "
        "stays. Needs TRANSFER."
    )
    async def transfer_registration(
        self, info: Info, input: Input[TransferRegistrationInput]
    ) -> TransferRegistrationPayload | None:
        answer = await ask(info, transfer, input)
        return TransferRegistrationPayload(
            registration=await written(info, "Registration", answer),
            from_=await _event(info, answer, "from"),
            to=await _event(info, answer, "to"),
            event_created=bool(answer.fact("eventCreated")),
            replayed=answer.replayed,
            warnings=answer.warnings,
            errors=answer.errors,
        )

    @strawberry.mutation(description="Assign another assessment form, by its code. Needs BOOK.")
    async def change_assessment(
        self, info: Info, input: Input[ChangeAssessmentInput]
    ) -> ChangeAssessmentPayload | None:
        answer = await ask(info, change_assessments, input)
        return ChangeAssessmentPayload(
            registration=await written(info, "Registration", answer), errors=answer.errors
        )

    @strawberry.mutation(
        description="Take a registration back: it stays readable by its id, and its UUID stays "
        "used; again changes nothing. Needs DELETE."
    )
    async def delete_registration(
        self, info: Info, input: Input[DeleteRegistrationInput]
    ) -> DeletePayload | None:
        answer = await ask(info, delete, input)
        return DeletePayload.of("Registration", answer)
