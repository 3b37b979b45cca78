"""Creates events: a batch, in the order load, check, write, record; only their tests are locked."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from resolvers.bookings import loading
from resolvers.changes import Cause, record_event
from resolvers.events import fields
from resolvers.events.choices import Choice, Choices, lock_tests, require_in_scope
from resolvers.events.commands import CreateEvent
from resolvers.events.drafts import default_title, inconsistencies, plain_columns, settled
from resolvers.events.facts import event_facts
from resolvers.outcomes import Outcome
from resolvers.permitted import requires
from resolvers.refusals import AlreadyExists, Refused, ValidationErrors, attempt
from resolvers.storage.columns import new_key
from resolvers.storage.rows import new_row
from resolvers.storage.tables import Event, EventModule
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen
from resolvers.vocabulary import EventChangeType, EventKind, Permission

NIL = UUID(int=0)


@frozen
class Created:
    """An event created in this batch, before it is written."""

    event: Event
    modules: frozenset[UUID]
    cause: Cause


@requires(Permission.MANAGE_EVENTS)
def create_events(work: UnitOfWork, commands: Sequence[CreateEvent]) -> list[Outcome | Refused]:
    """Create events; the outcomes are in the order of the commands.

    Refusals: PermissionRefusal, NotFoundRefusal, AmbiguousReference, Invalid, WrongLength,
    OutOfRange, those of listed texts; AlreadyExists (the identifier).
    """
    given = [(c.viewer, _given(c)) for c in commands]
    lock_tests(work, given)
    preloaded = _CreationBatch(work, commands, Choices(work, given))
    results = [
        attempt(_create, work, preloaded, command, values)
        for command, (_, values) in zip(commands, given, strict=True)
    ]
    _write(work, [result for result in results if isinstance(result, Created)])
    return [
        Outcome(result.event.id, created=True, facts={"affectedBookings": 0})
        if isinstance(result, Created)
        else result
        for result in results
    ]


class _CreationBatch:
    """The rows of a batch, and the identifiers used so far."""

    def __init__(self, work: UnitOfWork, commands: Sequence[CreateEvent], choices: Choices) -> None:
        wanted = [(c.viewer.organization_id, key) for c in commands if (key := _identifier(c))]
        self.choices = choices
        self.settings = loading.settings(work, [c.viewer.organization_id for c in commands])
        self._taken = {
            (event.organization_id, event.identifier)
            for event in loading.of_keys(work, Event, "identifier", wanted)
        }

    def take(self, organization_id: UUID, identifier: UUID) -> None:
        """Raises: AlreadyExists."""
        if (organization_id, identifier) in self._taken:
            raise AlreadyExists("identifier")
        self._taken.add((organization_id, identifier))


def _create(
    work: UnitOfWork, preloaded: _CreationBatch, command: CreateEvent, values: dict[str, Any]
) -> Created:
    """Raises: Refused."""
    viewer, validation = command.viewer, ValidationErrors()
    choice = preloaded.choices.chosen(viewer, values, Choice(), validation)
    if not validation.refusals:
        validation.of(require_in_scope, viewer, choice)
    validation.refusals += fields.violations(values, nulls_clear=False)
    values = fields.in_settings(values, preloaded.settings[viewer.organization_id], validation)
    event = _draft(work, preloaded, command, values, choice)
    validation.refusals += inconsistencies(event, values)
    validation.settle()
    preloaded.take(event.organization_id, event.identifier)
    return Created(settled(event, choice), choice.modules, Cause(viewer, command.origin))


def _draft(
    work: UnitOfWork,
    preloaded: _CreationBatch,
    command: CreateEvent,
    values: dict[str, Any],
    choice: Choice,
) -> Event:
    """Return the row to write, without the columns that are computed from others."""
    key, organization_id = new_key(), command.viewer.organization_id
    kind = values.get("kind", EventKind.EXAM)
    zone = preloaded.settings[organization_id] if choice.centre is None else choice.centre
    columns = {
        "kind": kind,
        "title": default_title(values, choice, kind),
        "last_change_time": work.now,
        "last_change_type": "Created",
        "last_change_user": command.viewer.name,
        **command.last_change,
        **plain_columns(values),
        **choice.columns(),
    }
    return new_row(
        Event,
        organization_id=organization_id,
        id=key,
        identifier=_identifier(command) or key,
        time_zone=zone.time_zone,
        **columns,
    )


def _given(command: CreateEvent) -> dict[str, Any]:
    """Return the values without nulls, which mean defaults."""
    return {name: value for name, value in command.values.items() if value is not None}


def _identifier(command: CreateEvent) -> UUID | None:
    """Return the client's identifier; the nil UUID counts as missing `[002]`."""
    return None if command.identifier == NIL else command.identifier


def _write(work: UnitOfWork, created: list[Created]) -> None:
    work.insert(Event, [one.event for one in created])
    work.insert(
        EventModule,
        [
            new_row(
                EventModule,
                organization_id=one.event.organization_id,
                event_id=one.event.id,
                module_id=module_id,
            )
            for one in created
            for module_id in sorted(one.modules)
        ],
    )
    for one in created:
        record_event(
            work,
            EventChangeType.CREATED,
            one.cause,
            event=one.event,
            facts_before=None,
            facts_after=event_facts(one.event, one.modules),
        )
