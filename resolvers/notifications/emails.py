"""Email messages for staff of an agency or an exam office: what happened, and what to do."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from resolvers.notifications.topics import OF_AGENTS, Content
from resolvers.values import frozen
from resolvers.vocabulary import NotificationTopic

MOST_OF_SUBJECT: Final = 150
"""The longest subject, in characters. Email programs show half of it."""

_NOT_PRINTED: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
"""Control characters, line ends, changes of direction, and noncharacters."""

PAGE: Final = (
    '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title></head>\n'
    '<body style="font-family: sans-serif; line-height: 1.5; max-width: 40em">\n'
    '<h1 style="font-size: 1.3em">{title}</h1>\n{parts}\n</body>\n</html>\n'
)


@frozen
class Email:
    """A message as text and as HTML, with the same content."""

    subject: str
    text: str
    html: str


class _Story(NamedTuple):
    happened: str
    advice: str


_STORIES: Final[Mapping[NotificationTopic, _Story]] = {
    NotificationTopic.BOOKING_CREATED: _Story(
        "was made", "Look up the booking for its date, time and place."
    ),
    NotificationTopic.BOOKING_MOVED: _Story(
        "was moved", "Look up its new date, time and place, and tell those who are concerned."
    ),
    NotificationTopic.BOOKING_TRANSFERRED: _Story(
        "was transferred", "Look up its new sitting, and tell those who are concerned."
    ),
    NotificationTopic.BOOKING_CANCELLED: _Story(
        "was cancelled",
        "Nobody is expected for it any more. Book again if the candidate still needs a place.",
    ),
    NotificationTopic.BOOKING_DELETED: _Story(
        "was deleted",
        "Nobody is expected for it any more. Book again if the candidate still needs a place.",
    ),
    NotificationTopic.BOOKING_ACCOMMODATION_CHANGED: _Story(
        "has other exam accommodations",
        "Look up its accommodations and times, and prepare the room for them.",
    ),
    NotificationTopic.BOOKING_ASSESSMENT_CHANGED: _Story(
        "has another assessment", "Look up its assessment, and prepare for that one."
    ),
    NotificationTopic.BOOKING_RESULT_ASSIGNED: _Story(
        "has a result", "Look up the result; a resit can be booked from now on where one is needed."
    ),
    NotificationTopic.BOOKING_PAYMENT_CHANGED: _Story(
        "has a change of payment", "Look up its payment, and whether anything is still to be paid."
    ),
    NotificationTopic.EVENT_CREATED: _Story(
        "was created", "Candidates can be booked as soon as it takes bookings."
    ),
    NotificationTopic.EVENT_CHANGED: _Story(
        "was changed", "Look up its date, time and place, and tell those who are concerned."
    ),
    NotificationTopic.EVENT_CANCELLED: _Story(
        "was cancelled", "Its bookings are cancelled with it. Book other places where needed."
    ),
}


class _EmailText(NamedTuple):
    """The content of an email: a title, paragraphs, a list, more paragraphs."""

    title: str
    before: Sequence[str]
    listed: Sequence[str]
    after: Sequence[str]


def email(topic: NotificationTopic, content: Content) -> Email:
    """The email for a message."""
    return _written(_told(topic, content))


def failure_email(
    topic: NotificationTopic, content: Content, *, url: str, error: str | None
) -> Email:
    """The email about a message that failed for 48 hours, with the reason and the host."""
    told = _told(topic, content)
    host = urlsplit(url).hostname or url
    reason = f" The last attempt ended so: {error}." if error else ""
    explained = (
        f"This message could not be delivered to {host} for 48 hours.{reason} It is not sent there "
        "again by itself. Have the receiver repaired, then send the message again with redeliver.",
        "The message was:",
    )
    title = f"Not delivered: {told.title}"
    return _written(_EmailText(title, [*explained, *told.before], told.listed, told.after))


def _told(topic: NotificationTopic, content: Content) -> _EmailText:
    return _of_agent(topic, content) if topic in OF_AGENTS else _of_change(topic, content)


def _of_agent(topic: NotificationTopic, content: Content) -> _EmailText:
    booking = f"Booking {content['agentBookingId']}"
    if topic is NotificationTopic.AGENT_BOOKING_INVALID:
        return _EmailText(
            f"{booking} needs your attention",
            [f"{booking} is not possible as it was submitted. This stands in its way:"],
            content["validationMessages"],
            [
                "Please correct it and submit it again under the same id, "
                f"{content['agentBookingId']}. Until then this submission is not in force."
            ],
        )
    ids = [
        f"{name}: {content[key]}"
        for name, key in (("Booking number", "bookingId"), ("Student number", "studentId"))
        if content[key] is not None
    ]
    return _EmailText(
        f"{booking} is confirmed",
        [f"{booking} was checked and is confirmed. Nothing needs to be done."],
        ids,
        [],
    )


def _of_change(topic: NotificationTopic, content: Content) -> _EmailText:
    story = _STORIES[topic]
    kind = str(content["kind"] or "event").replace("_", " ").lower()
    what = f"{kind.capitalize()} {content['reference'] or content['id']}"
    return _EmailText(
        f"{what} {story.happened}",
        [f"{what} {story.happened}. {story.advice}"],
        [
            f"When: {_for_people(content['at'])}",
            f"Id: {content['id']}",
            f"Version: {content['version']}",
        ],
        [],
    )


def _for_people(at: str) -> str:
    try:
        moment = datetime.fromisoformat(at).astimezone(UTC)
    except ValueError:
        return at
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def _written(told: _EmailText) -> Email:
    title, before = _line(told.title), [_line(each) for each in told.before]
    listed, after = [_line(each) for each in told.listed], [_line(each) for each in told.after]
    return Email(
        _shortened(title), _text(before, listed, after), _html(title, before, listed, after)
    )


def _text(before: Sequence[str], listed: Sequence[str], after: Sequence[str]) -> str:
    points = ["\n".join(f"- {each}" for each in listed)] if listed else []
    return "\n\n".join([*before, *points, *after]) + "\n"


def _html(title: str, before: Sequence[str], listed: Sequence[str], after: Sequence[str]) -> str:
    points = "".join(f"<li>{escape(each)}</li>" for each in listed)
    parts = [
        *(f"<p>{escape(each)}</p>" for each in before),
        *([f"<ul>{points}</ul>"] if points else []),
        *(f"<p>{escape(each)}</p>" for each in after),
    ]
    return PAGE.format(title=escape(title), parts="\n".join(parts))


def _line(text: str) -> str:
    """A text on one line, so a value cannot look like another paragraph or a header."""
    return " ".join(_NOT_PRINTED.sub(" ", text).split())


def _shortened(text: str) -> str:
    return text if len(text) <= MOST_OF_SUBJECT else f"{text[: MOST_OF_SUBJECT - 1]}…"
