"""Reads of organizations and of their users, by key or by name."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import SQLModel

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
from resolvers.texts import folded, normalized


def organization_named(name: str) -> Read[Organization]:
    """The organization with exactly this name, or none."""
    return Read(
        "organization named",
        lambda _: _organizations().where(columns(Organization).name == sa.bindparam("name")),
        {"name": normalized(name)},
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
    """At most two organizations, to find out whether there is exactly one."""
    return Read(
        "only organization",
        lambda _: _organizations().order_by(columns(Organization).id).limit(2),
        by_key=True,
    )


def every_organization() -> Read[Organization]:
    """All organizations in the order of their creation."""
    return Read("every organization", lambda _: _organizations().order_by(columns(Organization).id))


def user_by_reference(organization_id: UUID, reference: str) -> Read[User]:
    """The user with exactly this reference, or else with the same folded reference."""
    normal = normalized(reference)

    def build(_: str) -> sa.Select[Any]:
        c = columns(User)
        other = c.reference != sa.bindparam("reference", type_=c.reference.type)
        return _users().where(one_of(c.reference_folded, "forms")).order_by(other).limit(1)

    return Read(
        "user by reference",
        build,
        {
            "organization_id": organization_id,
            "reference": normal,
            "forms": [normal, folded(normal)],
        },
        by_key=True,
    )


def user_with_scope(organization_id: UUID, user_id: UUID) -> Read[Any]:
    """A user's role and scope in one statement; no rows if the user does not exist.

    One row has `name`, `role`, `active` and `candidate_id`, and no `key`. Each of the others has
    the `key` of an object in the user's scope, and in `of` the column of its link table.
    """
    return Read(
        "user with scope",
        lambda _: _with_scope(lambda column: column == sa.bindparam("user_id")),
        {"organization_id": organization_id, "user_id": user_id},
        by_key=True,
    )


def users_with_scope(organization_id: UUID, user_ids: Sequence[UUID]) -> Read[Any]:
    """As `user_with_scope`, of several users; each row has the user's key as `user_id`."""
    return Read(
        "users with scope",
        lambda _: _with_scope(lambda column: one_of(column, "user_ids")),
        {"organization_id": organization_id, "user_ids": list(user_ids)},
        by_key=True,
    )


def _with_scope(
    is_asked: Callable[[sa.ColumnElement[UUID]], sa.ColumnElement[bool]],
) -> sa.CompoundSelect[Any]:
    links: tuple[tuple[type[SQLModel], str], ...] = (
        (UserCentre, "centre_id"),
        (UserSubject, "subject_id"),
        (UserAgentOffice, "agent_office_id"),
    )
    u = columns(User)
    shown = (u.name, u.role, u.active, u.candidate_id)
    nothing = [sa.type_coerce(sa.null(), column.type).label(column.name) for column in shown]
    no_key = sa.type_coerce(sa.null(), u.id.type).label("key")
    no_link = sa.type_coerce(sa.null(), sa.String()).label("of")
    user = sa.select(u.id.label("user_id"), *shown, no_link, no_key).where(
        u.organization_id == sa.bindparam("organization_id"), is_asked(u.id)
    )

    def linked(c: Any, column: str) -> "sa.Select[tuple[Any, ...]]":
        of = sa.literal_column(f"'{column}'", sa.String()).label("of")
        return sa.select(c.user_id, *nothing, of, c[column].label("key")).where(
            c.organization_id == sa.bindparam("organization_id"), is_asked(c.user_id)
        )

    return sa.union_all(user, *(linked(columns(model), column) for model, column in links))


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
