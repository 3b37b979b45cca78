"""The topics, and their names in [004] and in messages."""

from collections.abc import Mapping
from typing import Any, Final

from resolvers.vocabulary import NotificationTopic

Content = Mapping[str, Any]
"""The content of a message; see `resolvers.notifications.messages`."""

OF_AGENTS: Final = frozenset(
    {NotificationTopic.AGENT_BOOKING_INVALID, NotificationTopic.AGENT_BOOKING_SUCCESS}
)
"""The topics of [004]. All other topics are ours and follow the same pattern."""


def _name(topic: NotificationTopic) -> str:
    """BOOKING_ACCOMMODATION_CHANGED is Booking:AccommodationChanged, AGENT_BOOKING_… Booking:…"""
    subject, *words = topic.removeprefix("AGENT_").split("_")
    return f"{subject.capitalize()}:{''.join(word.capitalize() for word in words)}"


TOPIC_NAMES: Final[Mapping[NotificationTopic, str]] = {
    topic: _name(topic) for topic in NotificationTopic
}
