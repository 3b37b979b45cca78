"""What can be asked of notifications: by those who are told, and by the worker that tells them."""

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
    """Be told about topics, at a URL or by email.

    Beside a URL the email is where a message goes that was given up. `local` lets the URL name this
    machine, and begin with http: a fact of the deployment, for development. `ports` are those that
    the deployment allows beside 443.
    """

    viewer: Viewer = field(repr=False)
    topics: tuple[NotificationTopic, ...]
    channel: NotificationChannel
    url: str | None = None
    email: str | None = None
    local: bool = False
    ports: frozenset[int] = frozenset()


@frozen(kw_only=True)
class RotateKey:
    """Give an endpoint a new key; for an hour the previous one is valid too."""

    viewer: Viewer = field(repr=False)
    endpoint: Ref
    origin: Origin | None = None


@frozen(kw_only=True)
class RemoveEndpoint:
    """Tell an endpoint nothing any more."""

    viewer: Viewer = field(repr=False)
    endpoint: Ref
    origin: Origin | None = None


@frozen(kw_only=True)
class Redeliver:
    """Send a message again, whether it was delivered, given up, or is waiting."""

    viewer: Viewer = field(repr=False)
    delivery: Ref
    origin: Origin | None = None


@frozen(kw_only=True)
class ClaimDeliveries:
    """Take what is due at an endpoint, for as long as sending it may take."""

    organization_id: UUID
    endpoint_id: UUID
    lease_seconds: float
    most: int = 50


@frozen
class ReleaseDeliveries:
    """Give back what was taken and not attempted: pairs of a delivery and its lease."""

    organization_id: UUID
    leases: tuple[tuple[UUID, UUID], ...]


@frozen(kw_only=True)
class FinishDelivery:
    """What came of an attempt: the HTTP status if there was one, or what went wrong.

    `withheld`: no attempt was made, since the endpoint's user has lost the right to the message. An
    email was accepted where nothing went wrong. `chance`, from 0 to 1, spreads the next attempt.
    """

    organization_id: UUID
    endpoint_id: UUID
    delivery_id: UUID
    lease: UUID
    status: int | None = None
    error: str | None = None
    withheld: Suppression | None = None
    chance: float = 0.5
