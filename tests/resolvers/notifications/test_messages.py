"""Messages: those of [004] are its samples, and whatever is in them the body can be read."""

import json
import re
from datetime import UTC, datetime
from hashlib import sha256
from hmac import new as hmac_of
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.notifications.bodies import NAMESPACE
from resolvers.notifications.messages import body, headers, signature
from resolvers.notifications.topics import OF_AGENTS, TOPIC_NAMES
from resolvers.vocabulary import NotificationChannel, NotificationTopic

INVALID = NotificationTopic.AGENT_BOOKING_INVALID
SUCCESS = NotificationTopic.AGENT_BOOKING_SUCCESS
JSON, XML = NotificationChannel.HTTP_JSON, NotificationChannel.HTTP_XML
AGENT: dict[str, Any] = {
    "agentBookingId": "X8347848",
    "validationMessages": [
        "02-10-2015 isn't a valid start date to 'General English' in 'Brighton'"
    ],
    "bookingId": None,
    "studentId": None,
}
CHANGE: dict[str, Any] = {
    "kind": "ENROLMENT",
    "reference": "ENR-7",
    "id": "RW5yb2xtZW50OjEy",
    "version": 3,
    "at": "2027-01-11T09:30:00+00:00",
}

PLAIN = {*range(0x20, 0xD800), *range(0xE000, 0xFFFE)}
"""What XML 1.0 can hold of the first plane, without blanks."""

INVALID_JSON = """{
"Topic": "Booking:Invalid",
"AgentBookingId": "X8347848",
"ValidationMessages": [
{
"Message": "02-10-2015 isn't a valid start date to 'General English' in 'Brighton'"
}
]
}"""
INVALID_XML = """<BookingInvalidNotificationMessage xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns="http://schemas.datacontract.org/2004/07/EcEnglish.Api.ServiceContract.Booking">
<AgentBookingId>X8347848</AgentBookingId>
<Topic>Booking:Invalid</Topic>
<ValidationMessages>
<BookingValidationMessage>
<Message>02-10-2015 isn't a valid start date to 'General English' in 'Brighton'</Message>
</BookingValidationMessage>
</ValidationMessages>
</BookingInvalidNotificationMessage>"""  # noqa: E501
SUCCESS_XML = """<BookingSuccessNotificationMessage xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns="http://schemas.datacontract.org/2004/07/EcEnglish.Api.ServiceContract.Booking">
<AgentBookingId>X8347848</AgentBookingId>
<EcEnglishBookingId>0</EcEnglishBookingId>
<EcEnglishStudentId>0</EcEnglishStudentId>
<Topic>Booking:Success</Topic>
</BookingSuccessNotificationMessage>"""  # noqa: E501


def without_blanks(sample: str) -> str:
    """A sample without the line breaks between its members, and without the blank after a colon."""
    return re.sub(r'": ', '":', re.sub(r"\s*\n\s*", "", sample))


def test_an_invalid_booking_is_told_as_in_the_sample():
    """[004] Invalid booking notification, byte for byte."""
    assert body(JSON, INVALID, AGENT) == without_blanks(INVALID_JSON)
    assert body(XML, INVALID, AGENT) == without_blanks(INVALID_XML)


def test_a_new_booking_is_told_as_in_the_sample():
    """[004] New booking notification; the ids of the XML sample are in the JSON too (C-20)."""
    made = AGENT | {"bookingId": 4711, "studentId": 815}

    assert body(XML, SUCCESS, AGENT) == without_blanks(SUCCESS_XML)
    assert body(XML, SUCCESS, made) == without_blanks(SUCCESS_XML).replace(
        "<EcEnglishBookingId>0", "<EcEnglishBookingId>4711"
    ).replace("<EcEnglishStudentId>0", "<EcEnglishStudentId>815")
    assert body(JSON, SUCCESS, made) == (
        '{"Topic":"Booking:Success","AgentBookingId":"X8347848",'
        '"EcEnglishBookingId":4711,"EcEnglishStudentId":815}'
    )


def test_our_own_topics_follow_the_pattern():
    assert body(JSON, NotificationTopic.BOOKING_CANCELLED, CHANGE) == (
        '{"Topic":"Booking:Cancelled","Kind":"ENROLMENT","Reference":"ENR-7",'
        '"Id":"RW5yb2xtZW50OjEy","Version":3,"At":"2027-01-11T09:30:00+00:00"}'
    )
    assert body(XML, NotificationTopic.EVENT_CHANGED, CHANGE | {"reference": None}) == (
        '<EventChangedNotificationMessage xmlns:i="http://www.w3.org/2001/XMLSchema-instance" '
        f'xmlns="{NAMESPACE}"><At>2027-01-11T09:30:00+00:00</At><Id>RW5yb2xtZW50OjEy</Id>'
        '<Kind>ENROLMENT</Kind><Reference i:nil="true" /><Topic>Event:Changed</Topic>'
        "<Version>3</Version></EventChangedNotificationMessage>"
    )


def test_every_topic_has_its_name():
    assert TOPIC_NAMES == {
        NotificationTopic.AGENT_BOOKING_INVALID: "Booking:Invalid",
        NotificationTopic.AGENT_BOOKING_SUCCESS: "Booking:Success",
        NotificationTopic.BOOKING_CREATED: "Booking:Created",
        NotificationTopic.BOOKING_MOVED: "Booking:Moved",
        NotificationTopic.BOOKING_TRANSFERRED: "Booking:Transferred",
        NotificationTopic.BOOKING_CANCELLED: "Booking:Cancelled",
        NotificationTopic.BOOKING_DELETED: "Booking:Deleted",
        NotificationTopic.BOOKING_ACCOMMODATION_CHANGED: "Booking:AccommodationChanged",
        NotificationTopic.BOOKING_ASSESSMENT_CHANGED: "Booking:AssessmentChanged",
        NotificationTopic.BOOKING_RESULT_ASSIGNED: "Booking:ResultAssigned",
        NotificationTopic.BOOKING_PAYMENT_CHANGED: "Booking:PaymentChanged",
        NotificationTopic.EVENT_CREATED: "Event:Created",
        NotificationTopic.EVENT_CHANGED: "Event:Changed",
        NotificationTopic.EVENT_CANCELLED: "Event:Cancelled",
    }


@pytest.mark.parametrize("topic", NotificationTopic)
@pytest.mark.parametrize("channel", NotificationChannel)
def test_every_topic_has_a_body_in_every_channel(
    channel: NotificationChannel, topic: NotificationTopic
):
    """Content that is not part of a message does not appear in it."""
    content = (AGENT if topic in OF_AGENTS else CHANGE) | {"revision": 987654}

    made = body(channel, topic, content)

    assert made
    assert "987654" not in made


@given(st.text(st.characters(exclude_categories=[])), st.text(st.characters(exclude_categories=[])))
def test_whatever_a_text_holds_the_body_can_be_read(first: str, second: str):
    """XML 1.0 cannot hold every character, and UTF-8 no half of a pair; the others come through."""
    content = AGENT | {"agentBookingId": first, "validationMessages": [second, first]}

    as_json = json.loads(body(JSON, INVALID, content).encode())
    as_xml = ElementTree.fromstring(body(XML, INVALID, content).encode())

    told = {"Topic": "Booking:Invalid", "AgentBookingId": utf8(first)}
    told["ValidationMessages"] = [{"Message": utf8(second)}, {"Message": utf8(first)}]
    assert as_json == told
    space = f"{{{NAMESPACE}}}"
    assert as_xml.findtext(f"{space}AgentBookingId") == xml(first)
    assert [each.text or "" for each in as_xml.iter(f"{space}Message")] == [xml(second), xml(first)]


def utf8(text: str) -> str:
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)


def xml(text: str) -> str:
    """Return the text with characters that XML 1.0, section 2.2, forbids replaced."""
    return "".join(
        c if c in "\t\n\r" or ord(c) in PLAIN or ord(c) > 0xFFFF else "\ufffd" for c in text
    )


def test_a_delivery_has_the_headers_of_the_sample_and_ours():
    """[004] The key; domain.md, 8.7: what proves that the message is ours, and fresh."""
    at, delivery = datetime(2027, 1, 11, 9, 30, 0, 999_999, UTC), UUID(int=7)

    made = headers(JSON, AGENT, b"{}", key="secret", delivery_id=delivery, at=at)

    assert made == {
        "Content-Type": "application/json; charset=utf-8",
        "Accept": "application/json",
        "X-EC-NotificationKey": "secret",
        "X-Booking-Delivery": "00000000-0000-0000-0000-000000000007",
        "X-Booking-Timestamp": "1799659800",
        "X-Booking-Signature": signature("secret", "1799659800", b"{}"),
    }


def test_a_revision_is_told_in_a_header():
    made = headers(
        XML,
        AGENT | {"revision": 2},
        b"<a/>",
        key="secret",
        delivery_id=UUID(int=7),
        at=datetime(2027, 1, 11, tzinfo=UTC),
    )

    assert made["X-Booking-Revision"] == "2"
    assert made["Content-Type"] == "application/xml; charset=utf-8"
    assert made["Accept"] == "application/xml"


def test_a_signature_covers_the_time_and_the_body():
    """Computed here as a receiver would."""
    expected = hmac_of(b"k\xc3\xa9y", b"1799659800.{}", sha256).hexdigest()

    assert signature("kéy", "1799659800", b"{}") == f"v1={expected}"
    assert (
        len({signature("a", "1", b"2"), signature("a", "2", b"2"), signature("b", "1", b"2")}) == 3
    )
