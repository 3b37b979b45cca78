"""Imports an event: made or brought up to date, with its centre, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from resolvers.bookings import loading
from resolvers.bookings.expiry import expire_overdue
from resolvers.centres.commands import UpsertCentre, upsert_centres
from resolvers.events.commands import CreateEvent, UpdateEvent
from resolvers.events.creating import create_events
from resolvers.events.updating import update_events
from resolvers.outcomes import Outcome
from resolvers.references import NAMES, ByKey, ByReference, look_up
from resolvers.refusals import EventNotFound, Invalid, Refused, attempt
from resolvers.registrations.commands import LaxEvent
from resolvers.registrations.lax import LaxEvents
from resolvers.sources.claims import claim, external_ids_of
from resolvers.sources.rows import ImportContext
from resolvers.sources.shift_iq.event_members import ORGANIZATION as ORGANIZATION_MEMBER
from resolvers.sources.shift_iq.events import EventDocument
from resolvers.sources.shift_iq.words import EVENT, ORGANIZATION, V1, V2, VENUE, find, known_as
from resolvers.sources.steps import Names, done
from resolvers.storage.tables import Centre, Event
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen


@frozen
class ImportEvent:
    """An event of the source, into an organization."""

    importing: ImportContext
    document: EventDocument


def import_events(work: UnitOfWork, commands: Sequence[ImportEvent]) -> list[Outcome | Refused]:
    """Import each event; a refused one must be undone by the storage (`all_or_nothing`).

    An event is known by the source's UUID and is brought up to date, or is made: what is left out
    stays as it is, a null clears. One that a registration made at its place and time is that event.
    A centre that is new is made with its UUID for a name. Refusals: those of the commands that it
    takes; Invalid, for another organization's event; EventNotFound, for one that is new and of
    which nothing but its UUID is said.
    """
    return [attempt(_import, work, command) for command in commands]


def _import(work: UnitOfWork, command: ImportEvent) -> Outcome:
    importing, document = command.importing, command.document
    event: Event | None = find(work, importing, Event, EVENT, document.identifier)
    if event is None and not document.values:
        identifier = str(document.identifier)
        raise EventNotFound(
            *document.names["identifier"], object_type="Event", identifier=identifier
        )
    ours = _learn_organization(work, importing, document.organization)
    if event is None:
        return make_event(work, importing, document)
    updated = _update(work, importing, document, event, _with_centre(work, importing, document))
    claimed = _claim(work, importing, document, event.id)
    changed = updated.changed or claimed or ours
    return Outcome(event.id, changed=changed, warnings=updated.warnings)


def make_event(work: UnitOfWork, importing: ImportContext, document: EventDocument) -> Outcome:
    """An event whose UUID is new, if a registration has not made it before.

    Raises: Refused.
    """
    values = _with_centre(work, importing, document)
    unnamed = _unnamed(work, importing, values)
    if unnamed is not None:
        updated = _update(work, importing, document, unnamed, values)
        _claim(work, importing, document, unnamed.id)
        return replace(updated, changed=True)
    command = CreateEvent(
        importing.viewer, values, document.identifier, last_change=document.last_change
    )
    made = done(create_events(work, [command]), document.names)
    _claim(work, importing, document, made.subject)
    return made


def _unnamed(work: UnitOfWork, importing: ImportContext, values: Mapping[str, Any]) -> Event | None:
    """The event at this place and time that a lax call made, of which nobody told the UUID yet."""
    centre, start = values.get("centre"), values.get("start_at")
    if centre is None or start is None:
        return None
    lax = LaxEvent(
        centre=centre.key,
        start=start.isoformat(),
        exam_type=values.get("exam_type"),
        exam_format=values.get("exam_format"),
        billing_code=values.get("billing_code"),
    )
    event = LaxEvents(work, [(importing.viewer, lax)]).matching(importing.viewer, lax)
    if event is None or not event.created_automatically:
        return None
    ids = external_ids_of(work, importing.organization_id, event)
    named = any(one.kind == EVENT and one.system in {V1, V2} for one in ids)
    return None if named else event


def _update(
    work: UnitOfWork,
    importing: ImportContext,
    document: EventDocument,
    event: Event,
    values: Mapping[str, Any],
) -> Outcome:
    """Only what differs is asked for: a cancelled event that is told again is no refusal.

    Raises: Refused.
    """
    changes = {n: value for n, value in values.items() if not _same(value, _present(event, n))}
    if "event_type" not in changes:
        changes.pop("kind", None)  # what the kind is here is told by nothing that has changed there
    last_change = document.last_change
    if not changes and not _is_newer(last_change, event):
        return Outcome(event.id, changed=False)
    command = UpdateEvent(importing.viewer, ByKey(event.id), changes, last_change=last_change)
    return done(update_events(work, [command], expire=expire_overdue), document.names)


def _is_newer(last_change: Mapping[str, Any], event: Event) -> bool:
    """Whether the source changed the event later than is known; a cancelled one stays as it is."""
    at: datetime | None = last_change.get("last_change_time")
    return at is not None and at > event.last_change_time and event.cancelled_at is None


def _same(value: Any, present: Any) -> bool:
    """Whether a value is the present one; an instant also if it has only its three decimals."""
    if isinstance(value, datetime) and isinstance(present, datetime):
        whole = present.replace(microsecond=present.microsecond // 1000 * 1000)
        return value in (present, whole)
    return bool(value == present)


def _present(event: Event, name: str) -> Any:
    """What the source is told of the event; where it has no text or end, what stands for it."""
    match name:
        case "centre":
            return None if event.venue_id is None else ByKey(event.venue_id)
        case "event_type":
            return event.event_type or event.kind.value
        case "given_end_at":
            return event.given_end_at or event.end_at
    return getattr(event, name)


def _with_centre(
    work: UnitOfWork, importing: ImportContext, document: EventDocument
) -> dict[str, Any]:
    """The values as the commands take them. Raises: Refused."""
    values = dict(document.values)
    if values.get("centre") is not None:
        values["centre"] = _centre(work, importing, document, values["centre"])
    return values


def _centre(
    work: UnitOfWork, importing: ImportContext, document: EventDocument, identifier: UUID
) -> ByKey:
    """The centre that is meant; a new one has the UUID for its name, and the organization's clock.

    Raises: Refused.
    """
    known: Centre | None = find(work, importing, Centre, VENUE, identifier)
    if known is not None:
        return ByKey(known.id)
    organization_id, name = importing.organization_id, str(identifier)
    named = look_up(work, Centre, [(importing.viewer, ByReference(name))]).rows()
    there = named[0] if named else None
    settings = loading.settings(work, [organization_id])[organization_id]
    command = UpsertCentre(
        viewer=importing.viewer,
        reference=name,
        name=name if there is None else there.name,
        time_zone=settings.time_zone if there is None else there.time_zone,
        external_ids=(
            *external_ids_of(work, organization_id, there),
            known_as(document.system, VENUE, identifier),
        ),
    )
    return ByKey(done(upsert_centres(work, [command]), _at_centre(document.names)).subject)


def _at_centre(names: Names) -> Names:
    return dict.fromkeys(("reference", "name", "time_zone", "external_ids"), names["centre"])


def _claim(work: UnitOfWork, importing: ImportContext, document: EventDocument, key: UUID) -> bool:
    """Raises: Refused."""
    given = known_as(document.system, EVENT, document.identifier)
    return claim(work, importing.organization_id, NAMES[Event][0], key, [given], document.names)


def _learn_organization(
    work: UnitOfWork, importing: ImportContext, identifier: UUID | None
) -> bool:
    """Learn the organization's UUID from its first event; whether it was new.

    Raises: Invalid, for another one: nothing of one organization gets into another.
    """
    key = importing.organization_id
    if identifier in {None, key}:
        return False
    assert identifier is not None
    own = loading.settings(work, [key])[key]
    known = [one for one in external_ids_of(work, key, own) if one.kind == ORGANIZATION]
    if known_as(V2, ORGANIZATION, identifier) in known:
        return False
    if any(one.system in {V1, V2} and one.value != str(identifier) for one in known):
        raise Invalid(ORGANIZATION_MEMBER, rule="is another organization's")
    return claim(work, key, "Organization", key, [known_as(V2, ORGANIZATION, identifier)], {})
