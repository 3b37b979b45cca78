"""What a notification says, and how it is signed; domain.md, sections 5.6 and 8.7.

The content of a message is a JSON document, made in the transaction of the change and kept until
everybody has it. It has the keys of AGENT for the two topics of [004], else those of CHANGE; it may
also have a "revision", which is told in a header. There is no personal data in it.
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
"""The agent's id, what stands in the way, and EC's two ids, null while there are none."""

CHANGE: Final = frozenset({"kind", "reference", "id", "version", "at"})
"""What was changed, its global id, the version since the change, and when, in ISO 8601."""

SIGNATURE: Final = "v1"

MEDIA_TYPES: Final[Mapping[NotificationChannel, str]] = {
    NotificationChannel.HTTP_JSON: "application/json",
    NotificationChannel.HTTP_XML: "application/xml",
}


def body(channel: NotificationChannel, topic: NotificationTopic, content: Content) -> str:
    """What is sent through a channel; of an email it is the HTML part."""
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

    The instant is that of the attempt: a receiver can tell an old message that somebody replays.
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
    """Proof that the holder of the key has sent this body at this time."""
    signed = f"{timestamp}.".encode() + body
    return f"{SIGNATURE}={hmac.digest(key.encode(), signed, 'sha256').hex()}"
