"""An event, as printed in [003]: in an answer, or in an array of them."""

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any
from uuid import UUID

from resolvers import checks
from resolvers.events import fields
from resolvers.refusals import ValidationErrors
from resolvers.sources.members import Members
from resolvers.sources.shift_iq.event_members import (
    FLAGS,
    IDENTIFIER,
    INSTANTS,
    INTEGERS,
    KIND,
    LAST_CHANGE_TEXTS,
    LAST_CHANGE_TIME,
    LOCAL_MEMBERS,
    NUMBERS,
    OF_EVENT,
    ORGANIZATION,
    TEXTS,
    TITLE,
    UNIT,
    UUIDS,
    VENUE,
)
from resolvers.sources.shift_iq.words import V2, duration_unit, event_kind
from resolvers.sources.steps import Names, moved_to_source
from resolvers.values import frozen
from resolvers.vocabulary import SourceSystem


@frozen(kw_only=True)
class EventDocument:
    """What the source says of an event.

    `values` are as `CreateEvent` takes them, but for `centre`, the source's own UUID. What the
    document leaves out is not in them; a null is there, or the default of what is never null.
    `last_change` are the columns of its last change, and empty where the time is not known.
    `names` says where the document has what the commands speak of.
    """

    identifier: UUID
    values: Mapping[str, Any]
    last_change: Mapping[str, Any] = field(default_factory=dict)
    organization: UUID | None = None
    system: SourceSystem = V2
    names: Names


def read_event(value: Any) -> EventDocument:
    """Raises: Refused, with everything that is wrong."""
    validation = ValidationErrors()
    members = Members(value, validation)
    identifier = members.uuid(IDENTIFIER, required=True, nil_is_missing=True)
    organization = members.uuid(ORGANIZATION, nil_is_missing=True)
    values = _values(members)
    last_change = _last_change(members)
    members.ignore(*LOCAL_MEMBERS)
    members.close()
    check_values(values, OF_EVENT, validation)
    validation.settle()
    assert identifier is not None
    return EventDocument(
        identifier=identifier,
        organization=organization,
        values=values,
        last_change=last_change,
        names=OF_EVENT,
    )


def _last_change(members: Members) -> dict[str, Any]:
    """When, how and by whom the event was last changed at the source."""
    texts = {
        column: members.text(name, most=checks.NAME) for name, column in LAST_CHANGE_TEXTS.items()
    }
    at = members.instant(LAST_CHANGE_TIME)
    return {} if at is None else {"last_change_time": at, **texts}


def check_values(values: Mapping[str, Any], names: Names, validation: ValidationErrors) -> None:
    """Complain about what no event may have, at the document's own members."""
    found = fields.violations(values, nulls_clear=False)
    validation.refusals += [moved_to_source(refusal, names) for refusal in found]


def _values(members: Members) -> dict[str, Any]:
    def uuid(name: str) -> UUID | None:
        return members.uuid(name, nil_is_missing=True)

    def flag(name: str) -> bool:
        return members.flag(name) or False

    def text(name: str) -> str | None:
        return members.text(name, most=checks.LONG_TEXT)

    readers: tuple[tuple[Mapping[str, str], Callable[[str], Any]], ...] = (
        ({VENUE: "centre"}, uuid),
        (UUIDS, uuid),
        (FLAGS, flag),
        (TEXTS, text),
        (INTEGERS, members.integer),
        (NUMBERS, members.number),
        (INSTANTS, members.instant),
    )
    values = {
        column: read(name)
        for names, read in readers
        for name, column in names.items()
        if members.has(name)
    }
    return _understood(values)


def _understood(values: dict[str, Any]) -> dict[str, Any]:
    """With what the texts mean; a title that is null is as good as left out."""
    if (kind := TEXTS[KIND]) in values:
        values["kind"] = event_kind(values[kind])
    if (unit := TEXTS[UNIT]) in values:
        values["duration_unit"] = duration_unit(values[unit])
    if values.get(title := TEXTS[TITLE]) is None:
        values.pop(title, None)
    return values
