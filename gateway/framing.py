"""How the results of a subscription are framed in a streamed HTTP response.

Server-sent events follow the distinct connections mode of the graphql-sse protocol, multipart
responses the protocol of Apollo Client and Router. Each function returns bytes for the body.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from gateway import errors
from gateway.deliveries import Delivery
from gateway.media_types import EVENT_STREAM, MULTIPART, SUBSCRIPTION_SPEC

BOUNDARY: Final = "-"
"""The boundary that clients assume if a response names none."""

DELIMITER: Final = f"\r\n--{BOUNDARY}".encode()
RESTARTING: Final = "The gateway is restarting. Subscribe again after the last cursor."


class Framing(Protocol):
    """The frames of one protocol."""

    content_type: str

    def begin(self, retry_seconds: float) -> bytes:
        """The start of the body. A client that loses the connection reconnects after
        `retry_seconds`."""

    def result(self, delivery: Delivery) -> bytes:
        """One result."""

    def heartbeat(self) -> bytes:
        """A heartbeat, which clients ignore. It keeps proxies from closing an idle connection."""

    def complete(self) -> bytes:
        """The end of a subscription."""

    def failed(self, answered: Mapping[str, Any]) -> bytes:
        """A last result with errors of the operation, and the end."""

    def revoked(self, told: Sequence[errors.Formatted]) -> bytes:
        """Errors because of which the gateway ends the subscription, and the end."""

    def restart(self, retry_seconds: float) -> bytes:
        """The end of a response that the client should repeat after `retry_seconds`."""


class EventStream:
    """Server-sent events. The cursor of a result is the id of its event."""

    content_type = f"{EVENT_STREAM}; charset=utf-8"

    def begin(self, retry_seconds: float) -> bytes:
        return b"retry: %d\n\n" % int(retry_seconds * 1000)

    def result(self, delivery: Delivery) -> bytes:
        if delivery.cursor is None:
            return b"event: next\ndata: %b\n\n" % delivery.payload
        return b"event: next\nid: %b\ndata: %b\n\n" % (delivery.cursor.encode(), delivery.payload)

    def heartbeat(self) -> bytes:
        return b":\n\n"

    def complete(self) -> bytes:
        return b"event: complete\ndata:\n\n"

    def failed(self, answered: Mapping[str, Any]) -> bytes:
        return self.result(Delivery(errors.encoded(answered))) + self.complete()

    def revoked(self, told: Sequence[errors.Formatted]) -> bytes:
        return self.failed({"errors": told})

    def restart(self, retry_seconds: float) -> bytes:
        """Without `complete`: a client that reads it does not reconnect."""
        return self.begin(retry_seconds)


class Multipart:
    """Parts of JSON. Each chunk ends with the delimiter, so that a client reads it at once."""

    content_type = f'{MULTIPART}; boundary="{BOUNDARY}"; subscriptionSpec={SUBSCRIPTION_SPEC}'

    def begin(self, retry_seconds: float) -> bytes:
        return DELIMITER

    def result(self, delivery: Delivery) -> bytes:
        return self._part(b'{"payload":%b}' % delivery.payload)

    def heartbeat(self) -> bytes:
        return self._part(b"{}")

    def complete(self) -> bytes:
        return b"--\r\n"

    def failed(self, answered: Mapping[str, Any]) -> bytes:
        return self.result(Delivery(errors.encoded(answered))) + self.complete()

    def revoked(self, told: Sequence[errors.Formatted]) -> bytes:
        """Errors beside a null payload end the subscription; errors inside the payload do not."""
        return self._part(errors.encoded({"payload": None, "errors": told})) + self.complete()

    def restart(self, retry_seconds: float) -> bytes:
        seconds = max(1, round(retry_seconds))
        told = errors.top_level(RESTARTING, errors.OVERLOADED, retryAfterSeconds=seconds)
        return self.revoked([told])

    def _part(self, content: bytes) -> bytes:
        return b"\r\ncontent-type: application/json\r\n\r\n%b%b" % (content, DELIMITER)


FRAMINGS: Final[Mapping[str, Framing]] = {EVENT_STREAM: EventStream(), MULTIPART: Multipart()}
"""The framing of each media type."""
