"""The content of messages and their signatures (domain.md, sections 5.6 and 8.7).

The content of a message is a JSON document that is made in the transaction of the change. It has
the keys of AGENT for the two topics of [004], and else those of CHANGE. It may have a "revision",
which is sent in a header. It contains no personal data.
"""

import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from resolvers.notifications import bodies, emails
from resolvers.notifications.topics import Content
from resolvers.vocabulary import NotificationChannel, NotificationTopic

AGENT: Final = frozenset({"agentBookingId", "validationMessages", "bookingId", "studentId"})
"""The agent's id, the validation messages, and EC's two ids, which may be null."""

CHANGE: Final = frozenset({"kind", "reference", "id", "version", "at"})
"""The kind of change, the global id, the version after the change, and its time in ISO 8601."""

SIGNATURE: Final = "v1"

MEDIA_TYPES: Final[Mapping[NotificationChannel, str]] = {
    NotificationChannel.HTTP_JSON: "application/json",
    NotificationChannel.HTTP_XML: "application/xml",
}


def body(channel: NotificationChannel, topic: NotificationTopic, content: Content) -> str:
    """The body that is sent through a channel; for email, the HTML part."""
    if channel is NotificationChannel.HTTP_JSON:
        return bodies.as_json(topic, content)
    if channel is NotificationChannel.HTTP_XML:
        return bodies.as_xml(topic, content)
    return emails.email(topic, content).html


def headers(
    channel: NotificationChannel,
    content: Content,
    sent: bytes,
    *,
    key: str,
    delivery_id: UUID,
    at: datetime,
) -> dict[str, str]:
    """The headers of an HTTP delivery `[004]`, with ours; Host and Content-Length are the sender's.

    The timestamp is the time of the attempt, so a receiver can detect a replayed message.
    """
    media_type, timestamp = MEDIA_TYPES[channel], str(int(at.timestamp()))
    made = {
        "Content-Type": f"{media_type}; charset=utf-8",
        "Accept": media_type,
        "X-EC-NotificationKey": key,
        "X-Booking-Delivery": str(delivery_id),
        "X-Booking-Timestamp": timestamp,
        "X-Booking-Signature": signature(key, timestamp, sent),
    }
    revision: Any = content.get("revision")
    if revision is not None:
        made["X-Booking-Revision"] = str(int(revision))
    return made


def signature(key: str, timestamp: str, body: bytes) -> str:
    """The signature of a body and a time with a key."""
    signed = f"{timestamp}.".encode() + body
    return f"{SIGNATURE}={hmac.digest(key.encode(), signed, 'sha256').hex()}"
