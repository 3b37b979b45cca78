"""Lax calls: the event is found by its centre and start, and made where there is none `[002]`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.bookings import loading
from resolvers.changes import Cause, record_event
from resolvers.events.choices import Choice
from resolvers.events.drafts import default_title, settled
from resolvers.events.facts import event_facts
from resolvers.events.listed_texts import BILLING_CODE, EXAM_FORMAT, EXAM_TYPE, ListedText
from resolvers.events.sitting_keys import sitting_key
from resolvers.outcomes import Warning
from resolvers.references import ByExternalId, ByKey, Ref, look_up
from resolvers.refusals import EventNotFound, InputRefusal, ValidationErrors
from resolvers.registrations.commands import LaxEvent
from resolvers.registrations.refusals import (
    BillingCodeNotSpecified,
    ExamFormatNotSpecified,
    ExamTypeNotSpecified,
    InvalidStartTime,
    VenueNotFound,
)
from resolvers.storage.columns import new_key, one_of
from resolvers.storage.nulls import nulls_last
from resolvers.storage.read import Read
from resolvers.storage.rows import changed, new_row
from resolvers.storage.tables import Centre, Event, Organization, columns, table
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.texts import folded, normalized
from resolvers.times import later
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import EventChangeType, EventKind, OnNoMatch, SourceSystem, WarningCode

PATH = ("target",)

NIL = UUID(int=0)
"""Counts as missing `[002]`."""

INSTANT = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)", re.ASCII | re.IGNORECASE
)
"""ISO 8601 with an offset."""

FIRST_YEAR = 1900

NOTHING: Mapping[str, str | None] = {}


@frozen
class RequiredText:
    """A text that a new event needs, and the refusal without it."""

    listed: ListedText
    missing: type[InputRefusal]

    @property
    def column(self) -> str:
        return self.listed.column


SPECS = (
    RequiredText(EXAM_TYPE, ExamTypeNotSpecified),
    RequiredText(EXAM_FORMAT, ExamFormatNotSpecified),
    RequiredText(BILLING_CODE, BillingCodeNotSpecified),
)


@frozen
class LaxPlace:
    """The centre and the start, to the second, that a lax call means."""

    centre: Centre
    start: datetime

    @property
    def key(self) -> tuple[UUID, UUID, datetime]:
        return (self.centre.organization_id, self.centre.id, self.start)


@frozen
class LaxMatch:
    """The event that a lax call comes to, and what is worth knowing about it."""

    event: Event
    made: bool = False
    warnings: tuple[Warning, ...] = ()


class LaxEvents:
    """The events that a batch of lax calls finds or makes.

    `calls` are the viewers with what they ask for. Where an event is missing, its centre is locked
    before it is looked for once more, so that two transactions do not both make it.
    """

    def __init__(self, work: UnitOfWork, calls: Iterable[tuple[Viewer, LaxEvent]]) -> None:
        self._work = work
        asked = list(calls)
        self._centres = look_up(work, Centre, _centre_names(asked))
        places = [place for viewer, lax in asked if (place := self._place(viewer, lax)) is not None]
        self._events = _events_at(work, places)
        missing = [place for place in places if place.key not in self._events]
        if missing:
            keys = ((place.centre.organization_id, place.centre.id) for place in missing)
            loading.lock(work, Centre, keys)
            self._events |= _events_at(work, missing)

    def matching(self, viewer: Viewer, lax: LaxEvent) -> Event | None:
        """The event that a call finds, if there is one; nothing is said about what is wrong."""
        place = self._place(viewer, lax)
        return None if place is None else self._match(place, lax)

    def place(self, viewer: Viewer, lax: LaxEvent, stage: ValidationErrors) -> LaxPlace | None:
        """Where and when it is to be. Refusals: InvalidStartTime, VenueNotFound."""
        start = start_of(lax.start)
        if start is None:
            stage.add(InvalidStartTime(*PATH, "start"))
        centre = self._centre(viewer, lax)
        if centre is None:
            identifier = None if lax.centre is None else str(lax.centre)
            where = (*PATH, "centre")
            stage.add(VenueNotFound(*where, object_type="Centre", identifier=identifier))
        return None if start is None or centre is None else LaxPlace(centre, start)

    def sought(
        self,
        viewer: Viewer,
        lax: LaxEvent,
        place: LaxPlace,
        settings: Organization,
        stage: ValidationErrors,
        *,
        locked: Mapping[UUID, Event],
        copied: Mapping[str, str | None] = NOTHING,
    ) -> LaxMatch | None:
        """The event as it is once locked, or a new one that `keep` writes.

        `copied` has the texts, by column, that a new one gets where the call says nothing of them.
        Refusals: EventNotFound (the call makes none), and what is missing or invalid for a new
        event.
        """
        found = self._match(place, lax)
        if found is not None:
            event = locked.get(found.id, found)
            if _is_at(event, place):
                return LaxMatch(event, warnings=_differences(event, lax))
        if lax.on_no_match is OnNoMatch.REJECT:
            stage.add(EventNotFound(*PATH, object_type="Event"))
            return None
        missing, invalid = ValidationErrors(), ValidationErrors()
        values = {
            spec.column: _text(spec, lax, copied, settings, missing, invalid) for spec in SPECS
        }
        stage.refusals += [*missing.refusals, *invalid.refusals]
        if None in values.values():
            return None
        warnings = tuple(_not_copied(spec) for spec in SPECS if values[spec.column] == "")
        return LaxMatch(_draft(self._work, viewer, place, values), made=True, warnings=warnings)

    def keep(self, sought: LaxMatch, cause: Cause) -> None:
        """Write a new event, once the booking that it was made for has its seat."""
        if not sought.made:
            return
        event = sought.event
        assert event.venue_id is not None
        assert event.start_at is not None
        key = (event.organization_id, event.venue_id, event.start_at)
        self._events.setdefault(key, []).append(event)
        self._work.insert(Event, [event])
        record_event(
            self._work,
            EventChangeType.CREATED,
            cause,
            event=event,
            facts_before=None,
            facts_after=event_facts(event, ()),
        )

    def _centre(self, viewer: Viewer, lax: LaxEvent) -> Centre | None:
        if lax.centre is None:
            return None
        names = (self._centres.first(viewer, ref) for ref in _names_of(lax.centre))
        return next((centre for centre in names if centre is not None), None)

    def _place(self, viewer: Viewer, lax: LaxEvent) -> LaxPlace | None:
        return self.place(viewer, lax, ValidationErrors())

    def _match(self, place: LaxPlace, lax: LaxEvent) -> Event | None:
        """Of several those that a given text fits, for each in turn; the lowest number, the oldest.

        A text that fits none of them narrows nothing.
        """
        events = self._events.get(place.key, [])
        for spec in SPECS:
            events = [event for event in events if not _differs(spec, event, lax)] or events
        return min(events, key=_seniority, default=None)


def start_of(text: str | None) -> datetime | None:
    """The instant that an ISO 8601 text with an offset means, to the second; None for others."""
    if text is None or INSTANT.fullmatch(text) is None:
        return None
    try:
        start = datetime.fromisoformat(text.upper()).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None
    return start if start.year >= FIRST_YEAR else None


def _seniority(event: Event) -> tuple[bool, int, UUID]:
    return (event.number is None, event.number or 0, event.id)


def _names_of(centre: UUID) -> Sequence[Ref]:
    """One space of ids for both versions of Shift iQ, then our own key."""
    if centre == NIL:
        return ()
    systems = (SourceSystem.SHIFT_IQ_V1, SourceSystem.SHIFT_IQ_V2)
    return (*(ByExternalId(system, "venue", str(centre)) for system in systems), ByKey(centre))


def _centre_names(calls: Iterable[tuple[Viewer, LaxEvent]]) -> list[tuple[Viewer, Ref | None]]:
    return [
        (viewer, name)
        for viewer, lax in calls
        if lax.centre is not None
        for name in _names_of(lax.centre)
    ]


Sittings = dict[tuple[UUID, UUID, datetime], list[Event]]
"""Events by organization, centre and start."""


def _events_at(work: UnitOfWork, places: Sequence[LaxPlace]) -> Sittings:
    """What is not cancelled at these places."""
    if not places:
        return {}
    read: Read[Event] = Read(
        "events at places",
        lambda _: _at_places(),
        {
            "organizations": list({place.centre.organization_id for place in places}),
            "centres": list({place.centre.id for place in places}),
            "since": min(place.start for place in places),
            "before": later(max(place.start for place in places), timedelta(seconds=1)),
        },
    )
    wanted = {place.key for place in places}
    found: Sittings = {}
    for event in work.rows(read):
        assert event.venue_id is not None
        assert event.start_at is not None
        key = (event.organization_id, event.venue_id, event.start_at.replace(microsecond=0))
        if key in wanted:
            found.setdefault(key, []).append(event)
    return found


def _at_places() -> sa.Select[Any]:
    c = columns(Event)
    return sa.select(table(Event)).where(
        one_of(c.organization_id, "organizations"),
        one_of(c.venue_id, "centres"),
        # in the words of the index
        nulls_last(c.start_at) >= sa.bindparam("since", type_=c.start_at.type),
        nulls_last(c.start_at) < sa.bindparam("before", type_=c.start_at.type),
        c.cancelled_at.is_(None),
    )


def _is_at(event: Event, place: LaxPlace) -> bool:
    """Whether an event is still where and when it was found."""
    return (
        event.cancelled_at is None
        and event.venue_id == place.centre.id
        and event.start_at is not None
        and event.start_at.replace(microsecond=0) == place.start
    )


def _differences(event: Event, lax: LaxEvent) -> tuple[Warning, ...]:
    """A warning for each text that the event has otherwise."""
    return tuple(
        Warning(
            WarningCode.EVENT_DIFFERS,
            "The event that was found has another value for '{field}'.",
            (*PATH, spec.column),
        )
        for spec in SPECS
        if _differs(spec, event, lax)
    )


def _differs(spec: RequiredText, event: Event, lax: LaxEvent) -> bool:
    given = _given(getattr(lax, spec.column))
    return given is not None and folded(given) != folded(getattr(event, spec.column) or "")


def _not_copied(spec: RequiredText) -> Warning:
    """The event that a transfer leaves has no value for a text that the new event copies."""
    message = "The new event has no value for '{field}': the event that was left has none."
    return Warning(WarningCode.EVENT_INCOMPLETE, message, (*PATH, spec.column))


def _given(text: str | None) -> str | None:
    return normalized(text or "") or None


def _text(
    spec: RequiredText,
    lax: LaxEvent,
    copied: Mapping[str, str | None],
    settings: Organization,
    missing: ValidationErrors,
    invalid: ValidationErrors,
) -> str | None:
    """A text of a new event; one of the setting's, in any case, where that lists any.

    [002] reports the texts that are missing before those that are invalid.
    """
    given = _given(getattr(lax, spec.column))
    if given is None:
        if spec.column in copied:
            return copied[spec.column] or ""
        missing.add(spec.missing(*PATH, spec.column))
        return None
    text: str | None = invalid.of(spec.listed.read, given, settings, *PATH, spec.column)
    return text


def _draft(
    work: UnitOfWork, viewer: Viewer, place: LaxPlace, values: dict[str, str | None]
) -> Event:
    """An event as a lax call makes it: open to everybody, with no limit of seats."""
    choice = Choice(centre=place.centre)
    texts: dict[str, Any] = {column: text or None for column, text in values.items()}
    event = new_row(
        Event,
        organization_id=viewer.organization_id,
        id=(key := new_key()),
        identifier=key,
        kind=EventKind.EXAM,
        title=default_title(texts, choice, EventKind.EXAM),
        time_zone=place.centre.time_zone,
        start_at=place.start,
        created_automatically=True,
        last_change_time=work.now,
        last_change_type="Created",
        last_change_user=viewer.name,
        **texts,
        **choice.columns(),
    )
    return changed(settled(event, choice), sitting_key=sitting_key(event))
