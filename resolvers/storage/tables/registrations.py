"""Registrations and their transfers."""

from datetime import datetime
from uuid import UUID

from resolvers.storage.columns import instant, key, text
from resolvers.storage.tables.tenant import Keyed, index, refers_to, unique


class Registration(Keyed, table=True):
    """The rest of a registration, under its booking's key.

    `identifier` is the caller's own UUID: used once, also when it was deleted since.
    """

    __table_args__ = (
        refers_to("booking", "id"),
        refers_to("test_form"),
        unique("identifier"),
        index("ix_registration_test_form", "test_form_id"),
    )

    identifier: UUID = key()
    registrant_type: str | None = text(200)
    test_form_id: UUID | None = key()


class RegistrationTransfer(Keyed, table=True):
    """A move of a registration from one event to another; appended, never changed."""

    __tablename__ = "registration_transfer"
    __table_args__ = (
        refers_to("booking"),
        refers_to("event", "from_event_id"),
        refers_to("event", "to_event_id"),
        index("ix_registration_transfer_booking", "booking_id", "at", "id"),
    )

    booking_id: UUID = key()
    from_event_id: UUID = key()
    to_event_id: UUID = key()
    reason: str = text(500)
    at: datetime = instant()
    by_user_id: UUID | None = key()
    by_name: str = text(200)
    by_proxy: str | None = text(200)
