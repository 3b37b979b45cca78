"""A world to register in: a centre with a test that has a form, a learner, and short commands."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from resolvers.outcomes import Outcome
from resolvers.references import ByKey
from resolvers.refusals import Refused
from resolvers.registrations.booking import book
from resolvers.registrations.commands import BookRegistration, LaxEvent, TransferRegistration
from resolvers.registrations.transferring import transfer
from resolvers.storage import Storage
from resolvers.tests.forms import Form
from resolvers.viewer import Viewer
from tests.resolvers.world import World

Register = Callable[..., Awaitable[Outcome | Refused]]
Lax = Callable[..., LaxEvent]


@pytest.fixture
def world(storage: Storage, viewer: Viewer) -> World:
    return World(storage, viewer)


@pytest.fixture
async def centre(world: World) -> UUID:
    return await world.centre()


@pytest.fixture
async def room(world: World, centre: UUID) -> UUID:
    return await world.room(centre)


@pytest.fixture
async def candidate(world: World) -> UUID:
    return await world.candidate()


@pytest.fixture
async def form(world: World) -> str:
    """The code of a form that can be registered for."""
    await world.test(forms=(Form(code="F1", name="Form one"), Form(code="F2", name="Form two")))
    return "F1"


@pytest.fixture
def lax(world: World, centre: UUID) -> Lax:
    """Return a sitting at ten tomorrow at the centre, with all that a new event requires."""

    def made(**values: Any) -> LaxEvent:
        given = {
            "centre": centre,
            "start": world.tomorrow(10).isoformat(),
            "exam_type": "Written",
            "exam_format": "Paper",
            "billing_code": "B1",
            **values,
        }
        return LaxEvent(**given)

    return made


@pytest.fixture
def register(world: World, candidate: UUID, form: str) -> Register:
    """Register a learner for an event by its key or by a sitting."""

    async def registered(target: UUID | LaxEvent, **values: Any) -> Outcome | Refused:
        person = values.pop("candidate", candidate)
        given = {"registration": uuid4(), "test_form": form, **values}
        command = BookRegistration(
            **{"viewer": world.viewer, **given},
            target=ByKey(target) if isinstance(target, UUID) else target,
            candidate=ByKey(person) if isinstance(person, UUID) else person,
        )
        return await world.one(book, command)

    return registered


@pytest.fixture
def move_to(world: World, candidate: UUID) -> Register:
    """Transfer a registration to another event by its key or by a sitting."""

    async def moved(key: UUID, target: UUID | LaxEvent, **values: Any) -> Outcome | Refused:
        person = values.pop("candidate", candidate)
        ref = values.pop("registration", ByKey(key))
        command = TransferRegistration(
            **{"viewer": world.viewer, "reason": "Ill on the day", **values},
            registration=ref,
            target=ByKey(target) if isinstance(target, UUID) else target,
            candidate=ByKey(person) if isinstance(person, UUID) else person,
        )
        return await world.one(transfer, command)

    return moved
