"""XML as the source has it, read safely: no entities, nothing external, a bounded size.

An element becomes what the same body is in JSON: an object of its children, or its text; an empty
one is null.
"""

from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from resolvers.sources.json_text import Unreadable, parse_json

MOST_BYTES: Final = 16 * 1024 * 1024
DEEPEST: Final = 4
"""A list of bodies, a body, an object in it, a value of that."""

BODY, LISTS = "testschedule", frozenset({"testTags"})
NIL: Final = "{http://www.w3.org/2001/XMLSchema-instance}nil"


def parse_body(text: bytes) -> Any:
    """The value of a file in either format; what begins with `<` is XML. Raises: Unreadable."""
    is_xml = text.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"
    return parse_xml(text) if is_xml else parse_json(text)


def parse_xml(text: bytes) -> Any:
    """A body, or a list of the bodies in an element around them. Raises: Unreadable."""
    if len(text) > MOST_BYTES:
        raise Unreadable(f"is larger than {MOST_BYTES // 1024**2} MiB, which is the most for XML")
    try:
        root = fromstring(text, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except DefusedXmlException:
        raise Unreadable("has a document type or entities, which are not read") from None
    except ParseError as error:
        line, column = error.position
        raise Unreadable(f"line {line}, column {column + 1}: is not XML") from None
    except (LookupError, ValueError):  # an encoding that nobody knows, or that is not kept to
        raise Unreadable("has an encoding that cannot be read") from None
    if _name(root).casefold() == BODY:
        return _value(root, 0)
    if not any(_name(child).casefold() == BODY for child in root):
        raise Unreadable(f"begins with the element {_name(root)!r}, not with a TestSchedule")
    _require_no_text(root)
    return [_value(child, 1) for child in root]


def _value(element: Element, depth: int) -> Any:
    """Raises: Unreadable."""
    if depth >= DEEPEST:
        raise Unreadable("is nested too deeply")
    if element.get(NIL) in {"true", "1"}:
        return None
    children = list(element)
    if _name(element) in LISTS:
        _require_no_text(element)
        return [_value(child, depth + 1) for child in children]
    if not children:
        return (element.text or "").strip() or None
    _require_no_text(element)
    members: dict[str, Any] = {}
    for child in children:
        if members.setdefault(_name(child), child) is not child:
            raise Unreadable(f"{_name(element)} has the element {_name(child)!r} twice")
    return {name: _value(child, depth + 1) for name, child in members.items()}


def _require_no_text(element: Element) -> None:
    """Raises: Unreadable, for a text beside or in place of the elements that belong there."""
    texts = (element.text, *(child.tail for child in element))
    if any((text or "").strip() for text in texts):
        inside = ", as in <testTags><string>…</string></testTags>"
        hint = inside if _name(element) in LISTS else ""
        raise Unreadable(f"{_name(element)} has a text where only elements stand{hint}")


def _name(element: Element) -> str:
    """The element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]
