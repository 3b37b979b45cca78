"""The commands of notifications: those of users, and those of the worker."""

from dataclasses import field
from uuid import UUID

from resolvers.changes import Origin
from resolvers.notifications.rights import Suppression
from resolvers.references import Ref
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import NotificationChannel, NotificationTopic


@frozen(kw_only=True)
class RegisterNotification:
    """Register an endpoint for topics, at a URL or an email address.

    With a URL, the email address receives messages whose delivery failed. `local` allows URLs of
    this machine, and http, for development. `ports` are the ports that the deployment allows in
    addition to 443.
    """

    viewer: Viewer = field(repr=False)
    topics: tuple[NotificationTopic, ...]
    channel: NotificationChannel
    url: str | None = None
    email: str | None = None
    local: bool = False
    ports: frozenset[int] = frozenset()
    origin: Origin | None = None


@frozen(kw_only=True)
class RotateKey:
    """Give an endpoint a new key. The previous key stays valid for an hour."""

    viewer: Viewer = field(repr=False)
    endpoint: Ref
    origin: Origin | None = None


@frozen(kw_only=True)
class RemoveEndpoint:
    """Remove an endpoint."""

    viewer: Viewer = field(repr=False)
    endpoint: Ref
    origin: Origin | None = None


@frozen(kw_only=True)
class Redeliver:
    """Send a message again, whether it was delivered, has failed, or is waiting."""

    viewer: Viewer = field(repr=False)
    delivery: Ref
    origin: Origin | None = None


@frozen(kw_only=True)
class ClaimDeliveries:
    """Claim the due deliveries of an endpoint with a lease."""

    organization_id: UUID
    endpoint_id: UUID
    lease_seconds: float
    most: int = 50


@frozen
class ReleaseDeliveries:
    """Release claimed deliveries that were not attempted: pairs of a delivery and its lease."""

    organization_id: UUID
    leases: tuple[tuple[UUID, UUID], ...]


@frozen(kw_only=True)
class FinishDelivery:
    """The outcome of an attempt: the HTTP status, or the error.

    `withheld`: no attempt was made, because the endpoint's user is no longer permitted to see the
    message. An email without an error was accepted. `chance`, from 0 to 1, spreads the next
    attempts.
    """

    organization_id: UUID
    endpoint_id: UUID
    delivery_id: UUID
    lease: UUID
    status: int | None = None
    error: str | None = None
    withheld: Suppression | None = None
    chance: float = 0.5
