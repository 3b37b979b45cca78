"""What the words and identifiers of the source mean here."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlmodel import SQLModel

from resolvers.references import ByExternalId, ByKey, ByReference, Ref, look_up
from resolvers.sources.rows import ImportContext
from resolvers.storage.tables import Event
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.vocabulary import DurationUnit, EventKind, SourceSystem

Model = TypeVar("Model", bound=SQLModel)

V1, V2 = SourceSystem.SHIFT_IQ_V1, SourceSystem.SHIFT_IQ_V2

ORGANIZATION, EVENT, VENUE, LEARNER, REGISTRATION = (
    "organization",
    "event",
    "venue",
    "learner",
    "registration",
)
"""The kinds of external ids; domain.md, section 6.4."""

KINDS: Final[Mapping[str, EventKind]] = {kind.value.lower(): kind for kind in EventKind}
UNITS: Final[Mapping[str, DurationUnit]] = {
    name: unit for unit in DurationUnit for name in (unit.value.lower(), f"{unit.value.lower()}s")
}

CANCELLED_THERE: Final = "Cancelled in Shift iQ"
"""The reason of an event's cancellation of which the source says nothing else."""


def event_kind(text: str | None) -> EventKind:
    """An unknown text is an exam's."""
    return KINDS.get((text or "").strip().lower(), EventKind.EXAM)


def duration_unit(text: str | None) -> DurationUnit | None:
    """In any case, singular or plural; None for another text."""
    return UNITS.get((text or "").strip().lower())


def known_as(system: SourceSystem, kind: str, identifier: UUID) -> ByExternalId:
    """The source's UUID as an external id."""
    return ByExternalId(system, kind, str(identifier))


def find(
    work: UnitOfWork, importing: ImportContext, model: type[Model], kind: str, identifier: UUID
) -> Any:
    """The row that a UUID of the source means, or None.

    It is the external id of either version, since they share their ids, or an event's `identifier`,
    or our own key.
    """
    refs: list[Ref] = [known_as(system, kind, identifier) for system in (V2, V1)]
    if model is Event:
        refs.append(ByReference(str(identifier)))
    refs.append(ByKey(identifier))
    lookup = look_up(work, model, [(importing.viewer, ref) for ref in refs])
    found = (lookup.first(importing.viewer, ref) for ref in refs)
    return next((row for row in found if row is not None), None)
