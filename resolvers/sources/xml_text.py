"""XML as the sources have it, read safely: no entities, nothing external, a bounded size.

An element becomes what the same body is in JSON: an object of its children, an array of them, or
its text; an empty one is null. Namespaces may be there or not.
"""

import re
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from resolvers.sources.json_text import Unreadable, parse_json
from resolvers.values import frozen

MOST_BYTES: Final = 16 * 1024 * 1024
UTF_16: Final = (
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
"""How a file in UTF-16 begins, with a byte order mark and without."""

MOST_DECLARATION: Final = 500
DECLARED_UTF_16 = re.compile(
    rb"""\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*["']utf-?16(le|be)?["']""", re.IGNORECASE
)
INSTANCE: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
"""The namespace of attributes that are about the text and not of it."""

NIL: Final = f"{INSTANCE}nil"
DIGITS = re.compile(r"-?[0-9]{1,19}(\.0+)?")
FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


@frozen(kw_only=True)
class Shape:
    """How a source writes its bodies as elements.

    `deepest` counts a list of bodies, a body, and what is in it down to a single value. `lists` are
    elements whose children are the elements of an array, as `example` shows. What is in `numbers`
    and `flags` has such a value in JSON; all else is a text.
    """

    body: str
    deepest: int
    lists: frozenset[str]
    example: str
    numbers: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()


class _DepthLimit(TreeBuilder):
    """Gives up where elements begin to be too deep, before many of them take the memory."""

    def __init__(self, deepest: int) -> None:
        super().__init__()
        self._left = deepest

    def start(self, tag: str, attrs: dict[Any, Any], /) -> Element:
        """Raises: Unreadable."""
        if not self._left:
            raise Unreadable("is nested too deeply")
        self._left -= 1
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._left += 1
        return super().end(tag)


def parse_body(text: bytes, shape: Shape) -> Any:
    """The value of a file in either format; what begins with `<` is XML. Raises: Unreadable."""
    begins = text[:4].startswith(tuple(beginning for beginning, _ in UTF_16))
    is_xml = begins or text.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"
    return parse_xml(text, shape) if is_xml else parse_json(text)


def parse_xml(text: bytes, shape: Shape) -> Any:
    """A body, or a list of the bodies in an element around them. Raises: Unreadable."""
    if len(text) > MOST_BYTES:
        raise Unreadable(f"is larger than {MOST_BYTES // 1024**2} MiB, which is the most for XML")
    try:
        root = _root(text, shape)
    except DefusedXmlException:
        raise Unreadable("has a document type or entities, which are not read") from None
    except ParseError as error:
        line, column = error.position
        raise Unreadable(f"line {line}, column {column + 1}: is not XML") from None
    except (LookupError, ValueError):  # an encoding that nobody knows, or that is not kept to
        raise Unreadable("has an encoding that cannot be read") from None
    body = shape.body.casefold()
    if _name(root).casefold() == body:
        return _value(root, shape)
    if not any(_name(child).casefold() == body for child in root):
        raise Unreadable(f"begins with the element {_name(root)!r}, not with a {shape.body}")
    _require_no_text(root)
    _require_no_attributes(root)
    return [_value(child, shape) for child in root]


def _root(text: bytes, shape: Shape) -> Element:
    """Raises: Unreadable, DefusedXmlException, ParseError, LookupError, ValueError."""
    target = _DepthLimit(shape.deepest)
    parser = DefusedXMLParser(
        target=target, forbid_dtd=True, forbid_entities=True, forbid_external=True
    )
    parser.feed(_decoded(text))
    root: Element = parser.close()
    return root


def _decoded(text: bytes) -> bytes | str:
    """The text of a file in UTF-16, and of one in UTF-8 that says it is; others as they are.

    The bytes decide, not the declaration: .NET declares utf-16 for every text that it writes to a
    string, whatever the string is saved as. Raises: LookupError, ValueError.
    """
    for beginning, encoding in UTF_16:
        if text.startswith(beginning):
            return text.decode(encoding)
    return text.decode("utf-8-sig") if DECLARED_UTF_16.match(_without_mark(text)) else text


def _without_mark(text: bytes) -> bytes:
    return text[:MOST_DECLARATION].removeprefix(b"\xef\xbb\xbf")


def _value(element: Element, shape: Shape, *, in_list: bool = False) -> Any:
    """An element of a list is no list, whatever it is called. Raises: Unreadable."""
    _require_no_attributes(element)
    children = list(element)
    if element.get(NIL) in {"true", "1"}:
        if children or (element.text or "").strip():
            raise Unreadable(f"{_name(element)} is nil but not empty")
        return None
    if _name(element) in shape.lists and not in_list:
        _require_no_text(element, f", as in {shape.example}")
        return [_value(child, shape, in_list=True) for child in children]
    if not children:
        return _single(_name(element), (element.text or "").strip(), shape)
    _require_no_text(element)
    members: dict[str, Any] = {}
    for child in children:
        if members.setdefault(_name(child), child) is not child:
            raise Unreadable(f"{_name(element)} has the element {_name(child)!r} twice")
    return {name: _value(child, shape) for name, child in members.items()}


def _single(name: str, text: str, shape: Shape) -> Any:
    """A value without children; a text that is no number where one belongs stays a text."""
    if name in shape.numbers and DIGITS.fullmatch(text):
        return int(text.partition(".")[0])
    if name in shape.flags:
        return FLAGS.get(text, text or None)
    return text or None


def _require_no_text(element: Element, hint: str = "") -> None:
    """Raises: Unreadable, for a text beside or in place of the elements that belong there."""
    texts = (element.text, *(child.tail for child in element))
    if any((text or "").strip() for text in texts):
        raise Unreadable(f"{_name(element)} has a text where only elements stand{hint}")


def _require_no_attributes(element: Element) -> None:
    """Raises: Unreadable; the sources have all their values in elements."""
    for name in element.keys():  # noqa: SIM118 - an element is no mapping
        if not name.startswith(INSTANCE):
            raise Unreadable(
                f"{_name(element)} has the attribute {name!r} where only elements are read"
            )


def _name(element: Element) -> str:
    """The element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]
