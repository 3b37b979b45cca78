"""Drafts of events: the given columns, the computed columns, and the checks between them."""

from collections.abc import Mapping
from typing import Any

from resolvers.checks import MINUTES, NAME
from resolvers.events import rules
from resolvers.events.choices import Choice
from resolvers.events.commands import Values
from resolvers.events.fields import FIELDS, first_of
from resolvers.events.limits import contradictions
from resolvers.refusals import Invalid, OutOfRange, Refusal
from resolvers.storage.rows import changed
from resolvers.storage.tables import Event
from resolvers.times import wall_time_of


def plain_columns(values: Values) -> dict[str, Any]:
    """Return the columns of the given plain fields; the text of a unit defaults to its name."""
    given = {column: value for column, value in values.items() if column in FIELDS}
    if "duration_unit" in given:
        unit = given["duration_unit"]
        given.setdefault("duration_unit_text", None if unit is None else unit.value)
    return given


MEASURES = (
    "exam_duration_in_minutes",
    "duration_quantity",
    "duration_unit",
    "on_demand",
    "test_id",
    "start_at",
    "given_end_at",
)
"""The columns from which an event's length is computed."""


def settled(event: Event, choice: Choice, was: Event | None = None) -> Event:
    """Return the event with the columns that are computed from others.

    The length is kept if no column of `MEASURES` differs from `was`: an event that has started no
    longer follows its test.
    """
    local_start = None
    if event.start_at is not None:
        # a wall time has whole seconds
        local_start = wall_time_of(event.start_at, event.time_zone).replace(microsecond=0)
    event = changed(event, local_start=local_start)
    if was is not None and all(getattr(was, name) == getattr(event, name) for name in MEASURES):
        return event
    return changed(
        event,
        end_at=rules.end_of(event, choice.test),
        duration_minutes=rules.duration_minutes(event, choice.test),
    )


def default_title(values: Values, choice: Choice, kind: str) -> str:
    """`{examType, else kind} at {centre name}`."""
    what = values.get("exam_type") or kind
    where = "" if choice.centre is None else f" at {choice.centre.name}"
    return f"{what[: NAME - len(where)]}{where}"[:NAME]


def inconsistencies(event: Event, given: Mapping[str, Any]) -> list[Refusal]:
    """Return the contradictions in a draft, as refusals of the fields that were given."""
    found: list[Refusal] = []
    if event.on_demand:
        rule = "must be left out for an event on demand, whose bookings have their own times"
        times = {"start_at": event.start_at, "given_end_at": event.given_end_at}
        kept = [name for name, at in times.items() if at is not None]
        sent = [name for name in kept if given.get(name) is not None]
        found += [Invalid(name, rule=rule) for name in sent]
        if kept and not sent:
            rule = "requires that the event's start and end are cleared"
            found.append(Invalid("on_demand", rule=rule))
    elif _ends_too_early(event):
        if "given_end_at" in given:
            found.append(OutOfRange("given_end_at", rule="must not be before the start"))
        else:
            found.append(OutOfRange("start_at", rule="must not be after the end"))
    if (rules.quantity_in_minutes(event) or 0) > MINUTES:
        path = first_of(("duration_quantity", "duration_unit"), given)
        found.append(OutOfRange(*path, rule=f"must not come to more than {MINUTES} minutes"))
    return [*found, *contradictions(event, given)]


def _ends_too_early(event: Event) -> bool:
    if event.start_at is None or event.given_end_at is None:
        return False
    return event.given_end_at < event.start_at
