"""The key of a sitting that a lax call made an event for, so that two such calls make one event.

It is unique in the organization, and an event keeps it only while it is what it was made for.
"""

from hashlib import sha256

from resolvers.storage.tables import Event
from resolvers.texts import folded


def sitting_key(event: Event) -> str:
    """Centre, start to the second, exam type, format and billing code, whatever their case."""
    assert event.start_at is not None
    start = event.start_at.replace(microsecond=0).isoformat()
    texts = (event.exam_type, event.exam_format, event.billing_code)
    parts = [str(event.venue_id), start, *(folded(text or "") for text in texts)]
    return sha256("\0".join(parts).encode()).hexdigest()


def kept_key(before: Event, after: Event) -> str | None:
    """The key of an event once it has changed."""
    if before.sitting_key is None or after.start_at is None:
        return None
    return before.sitting_key if sitting_key(after) == before.sitting_key else None
