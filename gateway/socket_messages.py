"""The messages of the protocol `graphql-transport-ws`, and the codes that close a connection."""

from typing import Any, Final

import orjson

from gateway.auth import TokenRefused, Unauthenticated

SUBPROTOCOL: Final = "graphql-transport-ws"
ID_LENGTH: Final = 200

INTERNAL_ERROR: Final = 1011
TRY_AGAIN_LATER: Final = 1013
MALFORMED: Final = 4400
UNAUTHORIZED: Final = 4401
FORBIDDEN: Final = 4403
WRONG_SUBPROTOCOL: Final = 4406
INIT_TIMEOUT: Final = 4408
ID_IN_USE: Final = 4409
INIT_TWICE: Final = 4429

Message = dict[str, Any]


class Closing(Exception):
    """The connection ends, with a code and a reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


def message_of(text: str | None) -> Message:
    """Raises: Closing, unless the text is a message with a type."""
    if text is None:
        raise Closing(MALFORMED, "Messages are text frames")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Closing(MALFORMED, f"A message must be JSON: {error}") from None
    if not isinstance(message, dict):
        raise Closing(MALFORMED, "A message must be a JSON object")
    if not isinstance(message.get("type"), str):
        raise Closing(MALFORMED, "'type' is required and must be a string")
    return message


def require_object(message: Message) -> None:
    """Raises: Closing, unless the payload is an object or missing."""
    payload = message.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise Closing(MALFORMED, f"'payload' of {message['type']} must be an object")


def id_of(message: Message) -> str:
    """Raises: Closing."""
    identifier = message.get("id")
    if isinstance(identifier, str) and 1 <= len(identifier) <= ID_LENGTH:
        return identifier
    rule = f"'id' is required and must be a string of 1 to {ID_LENGTH} characters"
    raise Closing(MALFORMED, rule)


def credential_of(message: Message) -> str | None:
    """The credential of a `connection_init`. Raises: Closing."""
    require_object(message)
    found = None
    for name, value in (message.get("payload") or {}).items():
        if name.lower() != "authorization":
            continue
        if not isinstance(value, str):
            raise Closing(MALFORMED, "'Authorization' must be a string")
        found = value
    return found


def unauthenticated(no: Unauthenticated) -> Closing:
    """Without a token, or with an expired one, another may help; a refused one is forbidden."""
    return Closing(FORBIDDEN if isinstance(no, TokenRefused) else UNAUTHORIZED, str(no))
