"""Commands on endpoints: register, rotate the key, remove."""

import secrets
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from resolvers import checks, contacts
from resolvers.bookings.loading import lock
from resolvers.notifications import rules
from resolvers.notifications.commands import RegisterNotification, RemoveEndpoint, RotateKey
from resolvers.notifications.ending import give_up_waiting
from resolvers.notifications.urls import canonical, url_rule
from resolvers.notifications.visible import is_visible
from resolvers.organizations.locking import lock_organizations
from resolvers.outcomes import Outcome
from resolvers.permitted import requires
from resolvers.references import Lookup, look_up, named
from resolvers.refusals import (
    Invalid,
    NotFoundRefusal,
    OutOfRange,
    PermissionRefusal,
    Refused,
    Required,
    ValidationErrors,
    attempt,
)
from resolvers.storage.columns import new_key, one_of
from resolvers.storage.read import Read
from resolvers.storage.rows import changed, new_row
from resolvers.storage.tables import NotificationEndpoint, columns, table
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.viewer import Viewer
from resolvers.vocabulary import (
    AccessScope,
    NotificationChannel,
    NotificationTopic,
    Permission,
)

KEY: Final = "notificationKey"
"""The outcome's fact with the new key. The key is shown once."""

KEY_BYTES: Final = 32


@requires(Permission.MANAGE_NOTIFICATIONS)
def register(work: UnitOfWork, commands: Sequence[RegisterNotification]) -> list[Outcome | Refused]:
    """Register an endpoint for each command. It receives the changes that are committed after it.

    Its key is the fact `KEY`. If an identical active endpoint exists, it is returned without its
    key. An endpoint has the permissions and scope of its user. An organization has at most 500
    endpoints.
    Refusals: PermissionRefusal, Required, Invalid, WrongLength, InvalidEmail,
    OutOfRange.
    """
    checked = [attempt(_check, command) for command in commands]
    kept = _kept(work, [c for c, one in zip(commands, checked, strict=True) if one is None])
    return [
        attempt(_register, work, command, kept) if one is None else one
        for command, one in zip(commands, checked, strict=True)
    ]


def _check(command: RegisterNotification) -> None:
    """Raises: Refused."""
    stage = ValidationErrors()
    stage.of(_require_own, command.viewer)
    topics = ("topics",)
    stage.of(checks.size, set(command.topics), *topics, least=1, most=len(NotificationTopic))
    by_email = command.channel is NotificationChannel.HTML_EMAIL
    stage.of(_require_no_url if by_email else _require_url, command)
    if by_email and command.email is None:
        stage.add(Required("email"))
    stage.of(contacts.email, command.email, "email")
    stage.settle()


def _require_own(viewer: Viewer) -> None:
    """An endpoint without a user receives everything, so the viewer must be able to see everything.

    Raises: PermissionRefusal.
    """
    if viewer.user_id is None and not viewer.scope.everything:
        raise PermissionRefusal(
            required=Permission.MANAGE_NOTIFICATIONS, missing_scope=AccessScope.ORGANIZATION
        )


def _require_url(command: RegisterNotification) -> None:
    """Raises: Required, Invalid."""
    if command.url is None:
        raise Required("url")
    rule = url_rule(command.url, local=command.local, ports=command.ports)
    if rule is not None:
        raise Invalid("url", rule=rule)


def _require_no_url(command: RegisterNotification) -> None:
    """Raises: Invalid."""
    if command.url is not None:
        raise Invalid("url", rule="must be omitted for this channel")


def _kept(
    work: UnitOfWork, commands: Sequence[RegisterNotification]
) -> dict[UUID, list[NotificationEndpoint]]:
    """The endpoints of the organizations. These are locked, so no other endpoint is registered."""
    organizations = lock_organizations(work, {c.viewer.organization_id for c in commands})
    kept: dict[UUID, list[NotificationEndpoint]] = {key: [] for key in organizations}
    if organizations:
        for row in work.rows(_endpoints_kept(list(organizations))):
            kept[row.organization_id].append(row)
    return kept


def _endpoints_kept(organizations: Sequence[UUID]) -> Read[NotificationEndpoint]:
    def build(_: str) -> sa.Select[Any]:
        c = columns(NotificationEndpoint)
        return sa.select(table(NotificationEndpoint)).where(
            one_of(c.organization_id, "organizations"), c.removed_at.is_(None)
        )

    return Read("endpoints kept", build, {"organizations": organizations})


def _register(
    work: UnitOfWork,
    command: RegisterNotification,
    kept: dict[UUID, list[NotificationEndpoint]],
) -> Outcome:
    """Raises: OutOfRange."""
    organization_id = command.viewer.organization_id
    endpoint = new_row(
        NotificationEndpoint,
        organization_id=organization_id,
        id=new_key(),
        user_id=command.viewer.user_id,
        topics=list(dict.fromkeys(command.topics)),
        channel=command.channel,
        url=command.url,
        email=command.email,
        current_key=_new_key(),
        created_at=work.now,
    )
    others = kept[organization_id]
    same = next((one for one in others if one.active and _target(one) == _target(endpoint)), None)
    if same is not None:
        return Outcome(same.id, changed=False)
    if len(others) >= checks.PLAIN_LIST:
        raise OutOfRange(rule=f"would exceed the limit of {checks.PLAIN_LIST} endpoints")
    others.append(endpoint)
    work.insert(NotificationEndpoint, [endpoint])
    work.notify_from_now_on(organization_id)
    return Outcome(endpoint.id, created=True, facts={KEY: endpoint.current_key})


def _target(endpoint: NotificationEndpoint) -> tuple[Any, ...]:
    """The identity of an endpoint: its user, its destination and its topics."""
    url = None if endpoint.url is None else canonical(endpoint.url)
    return (endpoint.user_id, endpoint.channel, url, endpoint.email, frozenset(endpoint.topics))


def _new_key() -> str:
    return secrets.token_urlsafe(KEY_BYTES)


# ---------------------------------------------------------------- of one that is there


class _Endpoints:
    """The locked endpoints of a batch, updated command by command."""

    def __init__(
        self, work: UnitOfWork, commands: Sequence[RotateKey] | Sequence[RemoveEndpoint]
    ) -> None:
        self._lookup: Lookup[NotificationEndpoint] = look_up(
            work, NotificationEndpoint, ((c.viewer, c.endpoint) for c in commands)
        )
        keys = ((row.organization_id, row.id) for row in self._lookup.rows())
        self._before: dict[UUID, NotificationEndpoint] = lock(work, NotificationEndpoint, keys)
        self._now = dict(self._before)

    def one(self, command: RotateKey | RemoveEndpoint) -> NotificationEndpoint:
        """The endpoint of a command, including removed ones.

        Raises: PermissionRefusal, Invalid, NotFoundRefusal.
        """
        viewer, path = command.viewer, ("endpoint",)
        found = self._lookup.one(viewer, command.endpoint, *path)
        endpoint = self._now[found.id]
        if not is_visible(viewer, endpoint):
            raise missing(command)
        return endpoint

    def become(self, endpoint: NotificationEndpoint) -> None:
        self._now[endpoint.id] = endpoint

    def save(self, work: UnitOfWork) -> list[NotificationEndpoint]:
        """Write the changed endpoints, and return them."""
        work.save(
            NotificationEndpoint, [(row, self._now[key]) for key, row in self._before.items()]
        )
        return [self._now[key] for key, row in self._before.items() if self._now[key] != row]


def missing(command: RotateKey | RemoveEndpoint) -> NotFoundRefusal:
    """The endpoint does not exist, or the viewer may not see it."""
    identifier = named(command.endpoint)
    return NotFoundRefusal("endpoint", object_type="NotificationEndpoint", identifier=identifier)


@requires(Permission.MANAGE_NOTIFICATIONS)
def rotate(work: UnitOfWork, commands: Sequence[RotateKey]) -> list[Outcome | Refused]:
    """Give each endpoint a new key, the fact `KEY`. The previous key stays valid for an hour.

    Refusals: PermissionRefusal, Invalid, NotFoundRefusal.
    """
    endpoints = _Endpoints(work, commands)

    def give_key(command: RotateKey) -> Outcome:
        endpoint = endpoints.one(command)
        if endpoint.removed_at is not None:
            raise missing(command)
        key = _new_key()
        endpoints.become(
            changed(
                endpoint,
                current_key=key,
                previous_key=endpoint.current_key,
                previous_key_until=work.now + rules.KEY_OVERLAP,
            )
        )
        return Outcome(endpoint.id, facts={KEY: key})

    outcomes = [attempt(give_key, command) for command in commands]
    endpoints.save(work)
    return outcomes


@requires(Permission.MANAGE_NOTIFICATIONS)
def remove(work: UnitOfWork, commands: Sequence[RemoveEndpoint]) -> list[Outcome | Refused]:
    """Remove each endpoint, and fail its waiting deliveries. Removing it again has no effect.

    Refusals: PermissionRefusal, Invalid, NotFoundRefusal.
    """
    endpoints = _Endpoints(work, commands)

    def take_away(command: RemoveEndpoint) -> Outcome:
        endpoint = endpoints.one(command)
        if endpoint.removed_at is not None:
            return Outcome(endpoint.id, changed=False)
        endpoints.become(changed(endpoint, removed_at=work.now))
        return Outcome(endpoint.id)

    outcomes = [attempt(take_away, command) for command in commands]
    give_up_waiting(work, endpoints.save(work))
    return outcomes
