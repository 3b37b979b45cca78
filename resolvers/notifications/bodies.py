"""The bodies of HTTP messages, in JSON and XML, as in the samples of [004].

XML follows the data contracts of [004]: members in alphabetical order, one namespace, nil for null.
"""

import re
from functools import cache
from typing import Any, Final

import orjson

from resolvers.notifications.topics import OF_AGENTS, TOPIC_NAMES, Content
from resolvers.vocabulary import NotificationTopic

NAMESPACE: Final = "http://schemas.datacontract.org/2004/07/EcEnglish.Api.ServiceContract.Booking"
SCHEMA_INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance"

REPLACEMENT: Final = "\ufffd"
_SURROGATES: Final = "[\ud800-\udfff]"
_NOT_XML: Final = "[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""Characters that XML 1.0 cannot represent, not even as a reference."""

_ESCAPED: Final = {
    ord("&"): "&amp;",
    ord("<"): "&lt;",
    ord(">"): "&gt;",
    ord("\r"): "&#xD;",  # which a parser otherwise reads as a line feed
}


def as_json(topic: NotificationTopic, content: Content) -> str:
    """A message as a JSON object, with its members in the order of the samples."""
    said = _of_agent(topic, content) if topic in OF_AGENTS else _of_change(topic, content)
    return orjson.dumps(_writable(said)).decode()


def as_xml(topic: NotificationTopic, content: Content) -> str:
    """A message as an XML element named after its topic."""
    said = _of_agent(topic, content) if topic in OF_AGENTS else _of_change(topic, content)
    root = f"{TOPIC_NAMES[topic].replace(':', '')}NotificationMessage"
    members = "".join(_element(name, said[name]) for name in sorted(said))
    return f'<{root} xmlns:i="{SCHEMA_INSTANCE}" xmlns="{NAMESPACE}">{members}</{root}>'


def _of_agent(topic: NotificationTopic, content: Content) -> dict[str, Any]:
    said: dict[str, Any] = {
        "Topic": TOPIC_NAMES[topic],
        "AgentBookingId": content["agentBookingId"],
    }
    if topic is NotificationTopic.AGENT_BOOKING_INVALID:
        said["ValidationMessages"] = [
            {"Message": message} for message in content["validationMessages"]
        ]
    else:
        # in both formats, though the sample in JSON has none (C-20); they are never null in [004]
        said["EcEnglishBookingId"] = content["bookingId"] or 0
        said["EcEnglishStudentId"] = content["studentId"] or 0
    return said


def _of_change(topic: NotificationTopic, content: Content) -> dict[str, Any]:
    return {
        "Topic": TOPIC_NAMES[topic],
        "Kind": content["kind"],
        "Reference": content["reference"],
        "Id": content["id"],
        "Version": content["version"],
        "At": content["at"],
    }


def _element(name: str, value: Any) -> str:
    if value is None:
        return f'<{name} i:nil="true" />'
    if isinstance(value, list):
        inner = "".join(
            f"<BookingValidationMessage>{_element('Message', each['Message'])}"
            "</BookingValidationMessage>"
            for each in value
        )
    else:
        inner = _compiled(_NOT_XML).sub(REPLACEMENT, str(value)).translate(_ESCAPED)
    return f"<{name}>{inner}</{name}>"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern, compiled for the first message: these two take 4 ms of CPU."""
    return re.compile(pattern)


def _writable(value: Any) -> Any:
    """A value without lone surrogates, which UTF-8 cannot represent."""
    if isinstance(value, str):
        return _compiled(_SURROGATES).sub(REPLACEMENT, value)
    if isinstance(value, list):
        return [_writable(each) for each in value]
    if isinstance(value, dict):
        return {name: _writable(each) for name, each in value.items()}
    return value
