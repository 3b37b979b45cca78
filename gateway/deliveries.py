"""The encoded results of a subscription, each with its position in the log."""

from collections.abc import AsyncGenerator

from resolvers.values import frozen


@frozen
class Delivery:
    """One result of a subscription.

    `payload` is its JSON: an object with `data`, `errors` or both, in one line. `cursor` is the
    position in the log of changes after which a client continues; None if the result has none.
    """

    payload: bytes
    cursor: str | None = None


Deliveries = AsyncGenerator[Delivery, None]
