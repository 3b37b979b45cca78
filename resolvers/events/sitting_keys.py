"""The key of a sitting for which a lax call created an event, so that two such calls create one
event.

It is unique in the organization, and an event loses it once one of its parts changes.
"""

from hashlib import sha256

from resolvers.storage.tables import Event
from resolvers.texts import folded


def sitting_key(event: Event) -> str:
    """Return the key: centre, start to the second, exam type, format and billing code, in any
    case.
    """
    assert event.start_at is not None
    start = event.start_at.replace(microsecond=0).isoformat()
    texts = (event.exam_type, event.exam_format, event.billing_code)
    parts = [str(event.venue_id), start, *(folded(text or "") for text in texts)]
    return sha256("\0".join(parts).encode()).hexdigest()


def kept_key(before: Event, after: Event) -> str | None:
    """Return the key of an event after a change."""
    if before.sitting_key is None or after.start_at is None:
        return None
    return before.sitting_key if sitting_key(after) == before.sitting_key else None
