"""The shape of a GraphQL request, for all transports. An error names the field and the rule."""

from collections.abc import Mapping
from typing import Any

import orjson

from resolvers.values import frozen


class MalformedRequest(ValueError):
    """Not a GraphQL request. The message is for the caller."""


@frozen
class GraphQLRequest:
    """A document, the values of its variables, and the name of the operation to execute.

    With `wants_changes_cursor`, the result of a query has the cursor in its extensions.
    """

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    wants_changes_cursor: bool = False

    @classmethod
    def of(cls, body: object, what: str = "The request body") -> "GraphQLRequest":
        """The request in a JSON value. Raises: MalformedRequest."""
        if not isinstance(body, dict):
            raise MalformedRequest(f"{what} must be a JSON object.")
        query = body.get("query")
        if not isinstance(query, str):
            raise MalformedRequest("'query' is required and must be a string.")
        _object_or_null(body, "extensions")  # not used, but it must be well formed
        return cls(query, _object_or_null(body, "variables"), _operation_name(body))

    @classmethod
    def in_body(cls, content: bytes) -> "GraphQLRequest":
        """The request in the body of a POST. Raises: MalformedRequest."""
        try:
            body = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise MalformedRequest(f"The request body must be JSON in UTF-8: {error}.") from None
        return cls.of(body)

    @classmethod
    def in_query(cls, parameters: Mapping[str, str]) -> "GraphQLRequest":
        """The request in the parameters of a GET. Raises: MalformedRequest."""
        body: dict[str, Any] = {**parameters}
        for name in ("variables", "extensions"):
            if text := body.get(name):
                body[name] = _json(name, text)
            else:
                body.pop(name, None)
        body["operationName"] = body.get("operationName") or None
        return cls.of(body)


def _json(name: str, text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MalformedRequest(f"'{name}' must be JSON: {error}.") from None


def _object_or_null(body: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise MalformedRequest(f"'{name}' must be an object or null.")
    return value


def _operation_name(body: Mapping[str, Any]) -> str | None:
    value = body.get("operationName")
    if value is not None and not isinstance(value, str):
        raise MalformedRequest("'operationName' must be a string or null.")
    return value
