"""Test schedules, and the PINs with which their sessions start."""

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlmodel import Field

from resolvers.storage.columns import document, instant, key, text
from resolvers.storage.tables.tenant import Keyed, TableModel, check, index, refers_to, unique


class TestSchedule(Keyed, table=True):
    """The rest of a test schedule, under its booking's key.

    `keycode` is a secret and unique; a deleted schedule has it as `deleted_keycode` and shows none,
    so it is never given out again. `buffer_hours` is what the window was widened by: 0 where its
    times are enforced.
    """

    __tablename__ = "test_schedule"
    __table_args__ = (
        refers_to("booking", "id"),
        refers_to("test_form"),
        refers_to("app_user", "marker_user_id"),
        refers_to("app_user", "moderator_user_id"),
        unique("keycode"),
        unique("deleted_keycode"),
        index("ix_test_schedule_test_form", "test_form_id"),
        check("window", "end_date >= start_date and end_time > start_time"),
        check("buffer_hours", "buffer_hours between 0 and 168"),
        check("pin", "pin is null or requires_invigilation"),
        check("keycodes", "keycode is null or deleted_keycode is null"),
    )

    keycode: str | None = text(8)
    deleted_keycode: str | None = text(8)
    pin: str | None = text(6)
    test_form_id: UUID | None = key()
    test_form_auto_selected: bool = False
    start_date: date
    end_date: date
    start_time: time
    end_time: time
    enforce_times: bool = False
    buffer_hours: int = 0
    requires_invigilation: bool = False
    marked_externally: bool = False
    allow_multiple_open_sessions: bool = False
    test_tags: Any = document(default_factory=list, nullable=False)
    marker_user_id: UUID | None = key()
    marker_name: str | None = text(200)
    moderator_user_id: UUID | None = key()
    moderator_name: str | None = text(200)
    purchase_order: str | None = text(50)
    language: str = text(35)
    session_completed_at: datetime | None = instant()


class SessionPin(TableModel, table=True):
    """The PIN of a test at a centre on a day: the same for everyone who is scheduled for it."""

    __tablename__ = "session_pin"
    __table_args__ = (refers_to("centre"), refers_to("test"))

    organization_id: UUID = key(primary_key=True)
    centre_id: UUID = key(primary_key=True)
    test_id: UUID = key(primary_key=True)
    on_date: date = Field(primary_key=True)
    pin: str = text(6)
