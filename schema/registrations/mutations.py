"""The mutations of registrations, and their payloads."""

from uuid import UUID

import strawberry

from resolvers.registrations.assessments import change_assessments
from resolvers.registrations.booking import book
from resolvers.registrations.deleting import delete
from resolvers.registrations.transferring import transfer
from schema.events.types import Event
from schema.grammar.commands import Answer, submit
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.errors import UserError
from schema.grammar.fields import attribute
from schema.grammar.found import load_node
from schema.grammar.inputs import Input
from schema.grammar.payloads import ERRORS, WARNINGS, DeletePayload, written
from schema.grammar.warnings import Warning
from schema.registrations.inputs import (
    BookRegistrationInput,
    ChangeAssessmentInput,
    DeleteRegistrationInput,
    TransferRegistrationInput,
)
from schema.registrations.types import Registration

REPLAYED = "True when an idempotency key was answered from memory."


@object_type(description="The registration that was made, or why it was not.")
class BookRegistrationPayload:
    registration: Registration | None = attribute(description="It; null with errors.")
    event: Event | None = attribute(description="What it is for; null with errors.")
    event_created: bool = attribute(description="Whether a lax call made the event.")
    replayed: bool = attribute(description=REPLAYED)
    warnings: list[Warning] = attribute(description=WARNINGS)
    errors: list[UserError] = attribute(description=ERRORS)


@object_type(description="The registration where it is now, or why it was not transferred.")
class TransferRegistrationPayload:
    registration: Registration | None = attribute(description="It; null with errors.")
    from_: Event | None = attribute(name="from", description="Where it was; null with errors.")
    to: Event | None = attribute(description="Where it is now; null with errors.")
    event_created: bool = attribute(description="Whether a lax call made the event.")
    replayed: bool = attribute(description=REPLAYED)
    warnings: list[Warning] = attribute(description=WARNINGS)
    errors: list[UserError] = attribute(description=ERRORS)


@object_type(description="The registration with its form, or why it has it not.")
class ChangeAssessmentPayload:
    registration: Registration | None = attribute(description="It; null with errors.")
    errors: list[UserError] = attribute(description=ERRORS)


async def _event(info: Info, answer: Answer, fact: str) -> Event | None:
    """Return the event that the outcome has under that name."""
    key = answer.fact(fact)
    event: Event | None = None if key is None else await load_node(info, "Event", UUID(key))
    return event


@object_type
class RegistrationMutations:
    @strawberry.mutation(
        description="Register a candidate for an event, strict or lax: a lax call makes an event "
        "that is not there. Needs BOOK."
    )
    async def book_registration(
        self, info: Info, input: Input[BookRegistrationInput]
    ) -> BookRegistrationPayload | None:
        answer = await submit(info, book, input)
        return BookRegistrationPayload(
            registration=await written(info, "Registration", answer),
            event=await _event(info, answer, "event"),
            event_created=bool(answer.fact("eventCreated")),
            replayed=answer.replayed,
            warnings=answer.warnings,
            errors=answer.errors,
        )

    @strawberry.mutation(
        description="Transfer a registration to another event, strict or lax; the test form "
        "stays. Needs TRANSFER."
    )
    async def transfer_registration(
        self, info: Info, input: Input[TransferRegistrationInput]
    ) -> TransferRegistrationPayload | None:
        answer = await submit(info, transfer, input)
        return TransferRegistrationPayload(
            registration=await written(info, "Registration", answer),
            from_=await _event(info, answer, "from"),
            to=await _event(info, answer, "to"),
            event_created=bool(answer.fact("eventCreated")),
            replayed=answer.replayed,
            warnings=answer.warnings,
            errors=answer.errors,
        )

    @strawberry.mutation(description="Assign another test form, by its code. Needs BOOK.")
    async def change_assessment(
        self, info: Info, input: Input[ChangeAssessmentInput]
    ) -> ChangeAssessmentPayload | None:
        answer = await submit(info, change_assessments, input)
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
        answer = await submit(info, delete, input)
        return DeletePayload.of("Registration", answer)
