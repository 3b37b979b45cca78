"""Reads of organizations and of their users, by key or by name."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from resolvers.storage import Read
from resolvers.storage.columns import one_of
from resolvers.storage.tables import (
    LogPosition,
    Organization,
    User,
    UserAgentOffice,
    UserCentre,
    UserSubject,
    columns,
    table,
)


def organization_named(name: str) -> Read[Organization]:
    """The organization with exactly this name, or none."""
    return Read(
        "organization named",
        lambda _: _organizations().where(columns(Organization).name == sa.bindparam("name")),
        {"name": name},
        by_key=True,
    )


def organization_by_id(organization_id: UUID) -> Read[Organization]:
    return Read(
        "organization by id",
        lambda _: _organizations().where(columns(Organization).id == sa.bindparam("id")),
        {"id": organization_id},
        by_key=True,
    )


def only_organization() -> Read[Organization]:
    """Two organizations at most: enough to say whether there is exactly one."""
    return Read(
        "only organization",
        lambda _: _organizations().order_by(columns(Organization).id).limit(2),
        by_key=True,
    )


def user_by_id(organization_id: UUID, user_id: UUID) -> Read[User]:
    return Read(
        "user by id",
        lambda _: _users().where(columns(User).id == sa.bindparam("id")),
        {"organization_id": organization_id, "id": user_id},
        by_key=True,
    )


def user_by_reference(organization_id: UUID, reference: str) -> Read[User]:
    return Read(
        "user by reference",
        lambda _: _users().where(columns(User).reference == sa.bindparam("reference")),
        {"organization_id": organization_id, "reference": reference},
        by_key=True,
    )


def user_centre_ids(organization_id: UUID, user_id: UUID) -> Read[UserCentre]:
    """The centres in a user's scope: rows with `centre_id` only."""
    c = columns(UserCentre)
    return Read(
        "user centre ids",
        lambda _: sa.select(c.centre_id).where(
            c.organization_id == sa.bindparam("organization_id"),
            c.user_id == sa.bindparam("user_id"),
        ),
        {"organization_id": organization_id, "user_id": user_id},
        by_key=True,
    )


def user_subject_ids(organization_id: UUID, user_id: UUID) -> Read[UserSubject]:
    """The subjects in a user's scope: rows with `subject_id` only."""
    c = columns(UserSubject)
    return Read(
        "user subject ids",
        lambda _: sa.select(c.subject_id).where(
            c.organization_id == sa.bindparam("organization_id"),
            c.user_id == sa.bindparam("user_id"),
        ),
        {"organization_id": organization_id, "user_id": user_id},
        by_key=True,
    )


def user_agent_office_ids(organization_id: UUID, user_id: UUID) -> Read[UserAgentOffice]:
    """The agent offices in a user's scope: rows with `agent_office_id` only."""
    c = columns(UserAgentOffice)
    return Read(
        "user agent office ids",
        lambda _: sa.select(c.agent_office_id).where(
            c.organization_id == sa.bindparam("organization_id"),
            c.user_id == sa.bindparam("user_id"),
        ),
        {"organization_id": organization_id, "user_id": user_id},
        by_key=True,
    )


def log_positions(organization_ids: Sequence[UUID]) -> Read[LogPosition]:
    """The newest positions of organizations' logs, in any order."""
    return Read(
        "log positions",
        lambda _: sa.select(table(LogPosition)).where(
            one_of(columns(LogPosition).organization_id, "organizations")
        ),
        {"organizations": organization_ids},
        by_key=True,
    )


def _organizations() -> "sa.Select[tuple[object, ...]]":
    return sa.select(table(Organization))


def _users() -> "sa.Select[tuple[object, ...]]":
    """Users of one organization, bound as `organization_id`."""
    return sa.select(table(User)).where(
        columns(User).organization_id == sa.bindparam("organization_id")
    )
