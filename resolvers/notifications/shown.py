"""The content of a delivery for readers of the API."""

from typing import Any

from resolvers.notifications import emails, messages
from resolvers.notifications.delivering import FAILED_BECAUSE, FAILED_URL
from resolvers.vocabulary import NotificationChannel, NotificationTopic


def shown_body(channel: NotificationChannel, topic: NotificationTopic, content: Any) -> str:
    """The message that is sent; for email, the HTML part."""
    if channel is NotificationChannel.HTML_EMAIL:
        return email_of(topic, content).html
    return messages.body(channel, topic, content)


def email_of(topic: NotificationTopic, content: Any) -> emails.Email:
    """The email of a delivery, including emails about failed messages."""
    if FAILED_URL not in content:
        return emails.email(topic, content)
    return emails.failure_email(
        topic, content, url=content[FAILED_URL], error=content[FAILED_BECAUSE]
    )
