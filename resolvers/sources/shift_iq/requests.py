"""Requests: they ask and tell nothing, so that there is nothing in them to keep."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from resolvers import checks
from resolvers.outcomes import Outcome, Warning
from resolvers.refusals import ValidationErrors
from resolvers.sources.members import Members
from resolvers.sources.rows import ImportContext
from resolvers.sources.shift_iq.event_members import (
    FLAGS,
    INSTANTS,
    INTEGERS,
    LAST_CHANGE_TEXTS,
    LAST_CHANGE_TIME,
    NUMBERS,
    ORGANIZATION,
    TEXTS,
    UUIDS,
    VENUE,
)
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen
from resolvers.vocabulary import ImportNote

CRITERIA_WITHOUT = frozenset({"BillingCodeEnabled"})
"""The members of an event that no request asks by."""

Notes = tuple[Warning, ...]


@frozen
class UnstoredDocument:
    """A document that leaves nothing here but these notes."""

    importing: ImportContext
    notes: Notes


def hear(work: UnitOfWork, commands: Sequence[UnstoredDocument]) -> list[Outcome]:
    """Nothing changes."""
    return [
        Outcome(command.importing.organization_id, changed=False, warnings=command.notes)
        for command in commands
    ]


def read_request(value: Any) -> Notes:
    """The body of collect, count, download and search [003].

    Raises: Refused, with everything that is wrong.
    """
    validation = ValidationErrors()
    members = Members(value, validation)
    members.uuid("Identifier")
    _origin(members.members("Origin"))
    _filter(members.members("Filter"))
    texts = _texts(members.members("Texts"))
    _criteria(members)
    members.close()
    validation.settle()
    notes = (Warning(ImportNote.NOT_KEPT, "A request for events has nothing to keep."),)
    if not texts:
        return notes
    return (*notes, Warning(ImportNote.NOT_KEPT, "'Texts' is not allowed here.", ("Texts",)))


def read_registration_request(value: Any) -> Notes:
    """The body of count and search of registrations [002].

    Raises: Refused, with everything that is wrong.
    """
    validation = ValidationErrors()
    members = Members(value, validation)
    _read(("Name", "Email", "Code"), lambda name: members.text(name, most=checks.TEXT))
    _read(("LastChangeTimeSince", "LastChangeTimeBefore"), members.instant)
    members.close()
    validation.settle()
    return (Warning(ImportNote.NOT_KEPT, "A request for registrations has nothing to keep."),)


def read_count(value: Any) -> Notes:
    """The answer of count [003]. Raises: Refused, with everything that is wrong."""
    validation = ValidationErrors()
    members = Members(value, validation)
    members.integer("Count")
    members.close()
    validation.settle()
    return (Warning(ImportNote.NOT_KEPT, "A count has nothing to keep."),)


def _origin(members: Members | None) -> None:
    if members is None:
        return
    members.instant("When")
    _read(("Organization", "User", "Proxy"), members.uuid)
    _read(("Description", "Reason", "Source"), lambda name: members.text(name, most=checks.TEXT))
    members.close()


def _filter(members: Members | None) -> None:
    if members is None:
        return
    _read(("Page", "PageSize"), members.integer)
    texts = ("Sort", "Excludes", "Includes", "Format")
    _read(texts, lambda name: members.text(name, most=checks.TEXT))
    members.close()


def _texts(members: Members | None) -> dict[str, str]:
    if members is None:
        return {}
    texts = members.texts()
    members.close()
    return texts


def _criteria(members: Members) -> None:
    """The event's members, flat at the top, each as the event has it."""
    _read((ORGANIZATION, VENUE, *UUIDS), members.uuid)
    _read((name for name in FLAGS if name not in CRITERIA_WITHOUT), members.flag)
    _read(TEXTS, lambda name: members.text(name, most=checks.LONG_TEXT))
    _read(INTEGERS, members.integer)
    _read(NUMBERS, members.number)
    _read(INSTANTS, members.instant)
    _read(LAST_CHANGE_TEXTS, lambda name: members.text(name, most=checks.TEXT))
    members.instant(LAST_CHANGE_TIME)


def _read(names: Iterable[str], read: Callable[[str], Any]) -> None:
    for name in names:
        read(name)
