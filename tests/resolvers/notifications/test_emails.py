"""Emails: people understand them, and no value can be more than a value in them."""

from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.notifications.emails import MOST_OF_SUBJECT, email, failure_email
from resolvers.notifications.topics import OF_AGENTS
from resolvers.vocabulary import NotificationTopic
from tests.resolvers.notifications.test_messages import AGENT, CHANGE

INVALID = NotificationTopic.AGENT_BOOKING_INVALID
MOVED = NotificationTopic.BOOKING_MOVED


class Page(HTMLParser):
    """The elements and the text of a page, as a program for email sees them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_staff_is_told_what_is_wrong_and_what_to_do():
    """[004] Designed to make sense to business users."""
    made = email(INVALID, AGENT)

    assert made.subject == "Booking X8347848 needs your attention"
    assert made.text == (
        "Booking X8347848 is not possible as it was submitted. This stands in its way:\n\n"
        "- 02-10-2015 isn't a valid start date to 'General English' in 'Brighton'\n\n"
        "Please correct it and submit it again under the same id, X8347848. "
        "Until then this submission is not in force.\n"
    )


def test_staff_is_told_the_numbers_of_a_confirmed_booking():
    made = email(
        NotificationTopic.AGENT_BOOKING_SUCCESS, AGENT | {"bookingId": 4711, "studentId": 815}
    )

    assert made.subject == "Booking X8347848 is confirmed"
    assert "- Booking number: 4711\n- Student number: 815\n" in made.text


def test_staff_is_told_of_a_change_in_its_own_words():
    made = email(MOVED, CHANGE | {"kind": "TEST_SCHEDULE", "at": "2027-01-11T11:30:00+02:00"})

    assert made.subject == "Test schedule ENR-7 was moved"
    assert "tell those who are concerned" in made.text
    assert "- When: 11 January 2027, 09:30 UTC\n" in made.text


@pytest.mark.parametrize("topic", NotificationTopic)
def test_both_forms_say_the_same(topic: NotificationTopic):
    """Both forms have the same words, except the title and list markers."""
    made = email(topic, AGENT if topic in OF_AGENTS else CHANGE)

    in_text = made.text.replace("\n- ", "\n").split()
    in_page = Page(made.html.replace("<li>", "<li> ")).text.split()

    assert in_page == made.subject.split() * 2 + in_text


def test_a_failed_delivery_is_told_with_its_message():
    """domain.md, 8.7: after 48 hours. The rest of the URL may hold a secret and is omitted."""
    url = "https://hooks.agency.example/T0/secret?token=x"

    made = failure_email(INVALID, AGENT, url=url, error="did not answer within 5 s")

    assert made.subject == "Not delivered: Booking X8347848 needs your attention"
    assert made.text.startswith(
        "This message could not be delivered to hooks.agency.example for 48 hours. "
        "The last attempt ended so: did not answer within 5 s. "
    )
    assert "- 02-10-2015 isn't a valid start date" in made.text
    assert "secret" not in made.text + made.html
    assert "token" not in made.text + made.html


@given(st.text(st.characters(exclude_categories=[])))
def test_a_value_is_only_a_value(text: str):
    """No markup, no other line of the text or of the header, and it can be written in UTF-8."""
    harmless = email(INVALID, AGENT)

    made = email(INVALID, AGENT | {"agentBookingId": text, "validationMessages": [text]})

    assert Page(made.html).elements == Page(harmless.html).elements
    assert len(made.text.splitlines()) == len(harmless.text.splitlines())
    assert len(made.subject.splitlines()) == 1
    assert (made.subject + made.text + made.html).encode()


@pytest.mark.parametrize(
    "value", ["<script>alert(1)</script>", '"><img src=x onerror=y>', "a&lt;b", "{title}", "%s"]
)
def test_markup_is_shown_as_it_was_written(value: str):
    made = email(INVALID, AGENT | {"validationMessages": [value]})

    assert value in Page(made.html).text
    assert value in made.text


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x0b", "\x85", "\u2028", "\u2029", "\x00"])
def test_no_header_gets_in_through_the_subject(end: str):
    made = email(MOVED, CHANGE | {"reference": f"ENR{end}Bcc: a@b.example"})

    assert made.subject == "Enrolment ENR Bcc: a@b.example was moved"


def test_a_subject_is_not_longer_than_it_is_read():
    made = email(MOVED, CHANGE | {"reference": "R" * 5_000})

    assert len(made.subject) == MOST_OF_SUBJECT
    assert made.subject.endswith("…")


def test_an_event_that_has_no_number_is_known_by_its_id():
    made = email(NotificationTopic.EVENT_CANCELLED, CHANGE | {"kind": None, "reference": None})

    assert made.subject == "Event RW5yb2xtZW50OjEy was cancelled"


def test_a_time_that_is_none_is_shown_as_it_is():
    assert "- When: yesterday\n" in email(MOVED, CHANGE | {"at": "yesterday"}).text
