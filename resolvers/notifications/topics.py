"""What one can be told of, and the names that [004] and the messages have for it."""

from collections.abc import Mapping
from typing import Any, Final

from resolvers.vocabulary import NotificationTopic

Content = Mapping[str, Any]
"""What a message says; see `resolvers.notifications.messages`."""

OF_AGENTS: Final = frozenset(
    {NotificationTopic.AGENT_BOOKING_INVALID, NotificationTopic.AGENT_BOOKING_SUCCESS}
)
"""The topics of [004]; all others are ours, in the same pattern."""


def _name(topic: NotificationTopic) -> str:
    """BOOKING_ACCOMMODATION_CHANGED is Booking:AccommodationChanged, AGENT_BOOKING_… Booking:…"""
    subject, *words = topic.removeprefix("AGENT_").split("_")
    return f"{subject.capitalize()}:{''.join(word.capitalize() for word in words)}"


TOPIC_NAMES: Final[Mapping[NotificationTopic, str]] = {
    topic: _name(topic) for topic in NotificationTopic
}
