"""Centres and their rooms."""

from typing import Any
from uuid import UUID

from resolvers.storage.columns import document, folded_text, key, sort_key, text
from resolvers.storage.tables.tenant import (
    Keyed,
    TableModel,
    check,
    index,
    of_organization,
    refers_to,
    unique,
)


class Centre(Keyed, table=True):
    """A place with a clock: Surpass centre, Shift iQ venue, EC school."""

    __table_args__ = (
        of_organization(),
        unique("reference"),
        index("uq_centre_reference_folded", "reference_folded", unique=True),
        index("ix_centre_sort_key", "sort_key", "id"),
        check("minimum_age", "minimum_age between 0 and 150"),
    )

    reference: str = text(50)
    name: str = text(200)
    search_text: str = text(500)
    reference_folded: str = folded_text(default="")
    sort_key: str = sort_key(default="")
    time_zone: str = text(64)
    city: str | None = text(200)
    country: str | None = text(2)
    address: Any = document(nullable=True)
    is_school: bool = False
    minimum_age: int | None = None


class CentreSubject(TableModel, table=True):
    """A subject that is examined at a centre."""

    __tablename__ = "centre_subject"
    __table_args__ = (
        refers_to("centre"),
        refers_to("subject"),
        index("ix_centre_subject_subject", "subject_id"),
    )

    organization_id: UUID = key(primary_key=True)
    centre_id: UUID = key(primary_key=True)
    subject_id: UUID = key(primary_key=True)


class Room(Keyed, table=True):
    """A room with seats. Its row is locked by whoever takes a seat in it."""

    __table_args__ = (
        refers_to("centre"),
        unique("centre_id", "name"),
        index("uq_room_name_folded", "centre_id", "name_folded", unique=True),
        check("capacity", "capacity between 1 and 100000"),
    )

    centre_id: UUID = key()
    name: str = text(200)
    name_folded: str = folded_text(default="")
    sort_key: str = sort_key(default="")
    capacity: int
