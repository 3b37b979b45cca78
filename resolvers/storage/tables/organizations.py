"""Organizations with their settings, and the users who work for them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from resolvers.storage.columns import choice, document, folded_text, instant, key, sort_key, text
from resolvers.storage.tables.tenant import (
    Keyed,
    TableModel,
    check,
    index,
    of_organization,
    refers_to,
    unique,
)
from resolvers.vocabulary import ConflictPolicy, Role


class Organization(TableModel, table=True):
    """A tenant, and its site settings. Made once, never deleted."""

    __table_args__ = (
        check("window_buffer_hours", "window_buffer_hours between 0 and 168"),
        check("min_days_between_attempts", "min_days_between_attempts between 0 and 3650"),
        check("cancel_cut_off_minutes", "cancel_cut_off_minutes between 0 and 525600"),
        check("payment_due_hours", "payment_due_hours between 1 and 8760"),
    )

    id: UUID = key(primary_key=True)
    name: str = text(200, unique=True)
    time_zone: str = text(64)
    currency: str = text(3)
    test_scheduling_over_multiple_days: bool = True
    purchase_order_number_for_scheduling: bool = False
    enforce_times_required: bool = False
    window_buffer_hours: int = 12
    allow_resit_after_pass: bool = True
    min_days_between_attempts: int = 0
    cancel_cut_off_minutes: int = 0
    payment_due_hours: int = 24
    conflict_policy: ConflictPolicy = choice(ConflictPolicy, default=ConflictPolicy.REJECT)
    exam_types: Any = document(default_factory=list, nullable=False)
    exam_formats: Any = document(default_factory=list, nullable=False)
    billing_codes: Any = document(default_factory=list, nullable=False)
    created_at: datetime = instant()


class User(Keyed, table=True):
    """Somebody who works with the gateway.

    Active, or not; never deleted, since history names it.
    """

    __tablename__ = "app_user"  # `user` is a reserved word in PostgreSQL
    __table_args__ = (
        of_organization(),
        unique("reference"),
        index("uq_app_user_reference_folded", "reference_folded", unique=True),
        index("ix_app_user_sort_key", "sort_key", "id"),
        refers_to("candidate"),
    )

    reference: str = text(50)
    name: str = text(200)
    reference_folded: str = folded_text(default="")
    name_folded: str = folded_text(default="")
    sort_key: str = sort_key(default="")
    email: str | None = text(254)
    role: Role = choice(Role)
    active: bool = True
    may_mark: bool = False
    may_moderate: bool = False
    candidate_id: UUID | None = key()


class UserCentre(TableModel, table=True):
    """A centre in a user's scope."""

    __tablename__ = "user_centre"
    __table_args__ = (refers_to("app_user", "user_id"), refers_to("centre"))

    organization_id: UUID = key(primary_key=True)
    user_id: UUID = key(primary_key=True)
    centre_id: UUID = key(primary_key=True)


class UserAgentOffice(TableModel, table=True):
    """An agent office in a user's scope."""

    __tablename__ = "user_agent_office"
    __table_args__ = (refers_to("app_user", "user_id"), refers_to("agent_office"))

    organization_id: UUID = key(primary_key=True)
    user_id: UUID = key(primary_key=True)
    agent_office_id: UUID = key(primary_key=True)


class UserSubject(TableModel, table=True):
    """A subject in a user's scope."""

    __tablename__ = "user_subject"
    __table_args__ = (refers_to("app_user", "user_id"), refers_to("subject"))

    organization_id: UUID = key(primary_key=True)
    user_id: UUID = key(primary_key=True)
    subject_id: UUID = key(primary_key=True)
