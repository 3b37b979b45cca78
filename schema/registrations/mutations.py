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
from schema.grammar.fields import attribute
from schema.grammar.found import load_node
from schema.grammar.payloads import CommandPayload, DeletePayload, payload_type, result_of, written
from schema.registrations.inputs import (
    BookRegistrationInput,
    ChangeAssessmentInput,
    DeleteRegistrationInput,
    TransferRegistrationInput,
)
from schema.registrations.types import Registration

REPLAYED = "True if this is the stored result of an earlier request with the same `idempotencyKey`."


@payload_type(description="Result of bookRegistration.")
class BookRegistrationPayload(CommandPayload):
    registration: Registration | None = attribute(
        description="The new registration. Null if there are errors."
    )
    event: Event | None = attribute(
        description="The event of the registration. Null if there are errors."
    )
    event_created: bool = attribute(
        description="True if the event was created for this registration."
    )


@payload_type(description="Result of transferRegistration.")
class TransferRegistrationPayload(CommandPayload):
    registration: Registration | None = attribute(
        description="The transferred registration. Null if there are errors."
    )
    from_: Event | None = attribute(
        name="from", description="The previous event. Null if there are errors."
    )
    to: Event | None = attribute(description="The new event. Null if there are errors.")
    event_created: bool = attribute(
        description="True if the new event was created for this transfer."
    )


@payload_type(description="Result of changeAssessment.")
class ChangeAssessmentPayload(CommandPayload):
    registration: Registration | None = attribute(
        description="The registration with its new test form. Null if there are errors."
    )


async def _event(info: Info, answer: Answer, fact: str) -> Event | None:
    """Return the event that the outcome has under that name."""
    key = answer.fact(fact)
    event: Event | None = None if key is None else await load_node(info, "Event", UUID(key))
    return event


@object_type
class RegistrationMutations:
    @strawberry.mutation(
        description="Registers a candidate for an event. With a `lax` target, the event "
        "is found by centre and start, and created if you allow it. Needs "
        "BOOK."
    )
    async def book_registration(
        self, info: Info, input: BookRegistrationInput
    ) -> BookRegistrationPayload | None:
        answer = await submit(info, book, input)
        return BookRegistrationPayload(
            registration=await written(info, "Registration", answer),
            event=await _event(info, answer, "event"),
            event_created=bool(answer.fact("eventCreated")),
            **result_of(answer),
        )

    @strawberry.mutation(
        description="Transfers a registration to another event. Its test form stays the "
        "same. Needs TRANSFER."
    )
    async def transfer_registration(
        self, info: Info, input: TransferRegistrationInput
    ) -> TransferRegistrationPayload | None:
        answer = await submit(info, transfer, input)
        return TransferRegistrationPayload(
            registration=await written(info, "Registration", answer),
            from_=await _event(info, answer, "from"),
            to=await _event(info, answer, "to"),
            event_created=bool(answer.fact("eventCreated")),
            **result_of(answer),
        )

    @strawberry.mutation(
        description="Assigns another test form to a registration, by its code. Needs BOOK."
    )
    async def change_assessment(
        self, info: Info, input: ChangeAssessmentInput
    ) -> ChangeAssessmentPayload | None:
        answer = await submit(info, change_assessments, input)
        return ChangeAssessmentPayload(
            registration=await written(info, "Registration", answer), **result_of(answer)
        )

    @strawberry.mutation(
        description="Deletes a registration. It stays readable by id, and its UUID "
        "cannot be used again. Deleting it again changes nothing. Needs "
        "DELETE."
    )
    async def delete_registration(
        self, info: Info, input: DeleteRegistrationInput
    ) -> DeletePayload | None:
        answer = await submit(info, delete, input)
        return DeletePayload.of("Registration", answer)
