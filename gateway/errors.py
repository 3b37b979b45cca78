"""The errors of responses, the same over HTTP and WebSocket.

A client error is returned and not logged. An internal error is logged once with a reference, and
the response contains only this reference.
"""

import logging
import secrets
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from uuid import UUID

import orjson
from graphql import ExecutionResult, GraphQLError, GraphQLSyntaxError

from resolvers.refusals import Refusal, Refused
from resolvers.storage import OutcomeUnknown, Overloaded
from schema.grammar.executed import ExecutedFields
from schema.grammar.response_size import CODE as RESPONSE_TOO_LARGE
from schema.grammar.response_size import ResponseTooLarge

logger = logging.getLogger(__name__)

Formatted = dict[str, Any]
"""An error in the form of the response."""

INTERNAL: Final = "INTERNAL"
OVERLOADED: Final = "OVERLOADED"
OUTCOME_UNKNOWN: Final = "OUTCOME_UNKNOWN"
LONGEST_MESSAGE: Final = 1_000
"""The limit of a message. graphql-core repeats the value, which may have a megabyte."""

ARGUMENTS: Final = "graphql.execution.values"
"""The functions in which graphql-core reads the values of arguments."""


def top_level(message: str, code: str, **extensions: object) -> Formatted:
    """An error that belongs to no field."""
    return {"message": message, "extensions": {"code": code, **extensions}}


def is_request_error(result: ExecutionResult) -> bool:
    """Whether the operation did not start, because the document, the variables or the name is
    invalid."""
    return result.data is None and all(
        error.path is None and not _is_too_large(error) for error in result.errors or ()
    )


def _is_too_large(error: GraphQLError) -> bool:
    return (error.extensions or {}).get("code") == RESPONSE_TOO_LARGE


def answer(result: ExecutionResult) -> dict[str, Any]:
    """A result in the form of the response; without `data` if the operation did not start."""
    answered: dict[str, Any] = {}
    if result.errors:
        answered["errors"] = formatted(result.errors)
    if not is_request_error(result):
        answered["data"] = result.data
        if result.extensions:
            answered["extensions"] = result.extensions
    return answered


def encoded(answered: Any) -> bytes:
    """The response as JSON. A value that JSON cannot represent is an internal error."""
    try:
        return orjson.dumps(answered, default=_plain, option=orjson.OPT_UTC_Z)
    except TypeError as error:
        return orjson.dumps({"errors": [masked(error)]})


def encoded_within(answered: Any, most_bytes: int, is_mutation: Callable[[], bool]) -> bytes:
    """The JSON of a result. Beyond `most_bytes`, it is an error without the data.

    `is_mutation` tells whether the operation was one; then all of its fields were executed.
    """
    content = encoded(answered)
    if len(content) <= most_bytes:
        return content
    executed = ExecutedFields(list(answered.get("data") or ())) if is_mutation() else None
    too_large = ResponseTooLarge(most_bytes).error(executed)
    return encoded({"errors": formatted([too_large]), "data": None})


def _plain(value: object) -> str:
    """Encodes asyncpg's UUIDs, which orjson does not know. Raises: TypeError, for other values."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(type(value))


def formatted(errors: Iterable[GraphQLError]) -> list[Formatted]:
    """The errors of one result. The same exception at several places has one reference."""
    references: dict[int, str] = {}
    return [told for error in errors for told in _formatted(error, references)]


def of_exception(error: Exception) -> list[Formatted]:
    """The error for an exception that ended the whole operation."""
    if isinstance(error, GraphQLError):
        return formatted([error])
    return _told(error, {}, {})


def failure(error: Exception) -> tuple[int, dict[str, Any], dict[str, str]]:
    """The status, the content and the headers of a response that an exception made impossible."""
    answered = {"errors": of_exception(error)}
    seconds = retry_after(answered)
    return (
        (500, answered, {}) if seconds is None else (503, answered, {"retry-after": str(seconds)})
    )


def _formatted(error: GraphQLError, references: dict[int, str]) -> list[Formatted]:
    """An error without a path concerns the request. It was found before any field was resolved."""
    whole = error.formatted
    cause = error.original_error
    if error.path is None or cause is None or _is_for_client(cause):
        extensions = {"code": _code(error), **(whole.get("extensions") or {})}
        return [{**whole, "message": _shortened(error.message), "extensions": extensions}]
    place = {name: value for name, value in whole.items() if name in {"locations", "path"}}
    return _told(cause, place, references)


def _code(error: GraphQLError) -> str:
    """The code for an error of graphql-core, with the names that other servers use."""
    if isinstance(error, GraphQLSyntaxError):
        return "GRAPHQL_PARSE_FAILED"
    return "GRAPHQL_VALIDATION_FAILED" if error.path is None else "BAD_USER_INPUT"


def _shortened(message: str) -> str:
    """A long message without its middle. The field is at its start, and the rule at its end."""
    if len(message) <= LONGEST_MESSAGE:
        return message
    half = LONGEST_MESSAGE // 2
    return f"{message[:half]} … {message[-half:]}"


def _is_for_client(cause: Exception) -> bool:
    """Whether a GraphQLError is meant for the caller: about an argument, or raised by a resolver.

    Errors of graphql-core about a resolver's value (a null, a number out of range) are internal.
    """
    if not isinstance(cause, GraphQLError):
        return False
    modules = [frame.f_globals["__name__"] for frame, _ in traceback.walk_tb(cause.__traceback__)]
    return not modules or ARGUMENTS in modules or not modules[-1].startswith("graphql.")


def _told(cause: Exception, place: Formatted, references: dict[int, str]) -> list[Formatted]:
    match cause:
        case Refusal():
            return [{**_refusal(cause), **place}]
        case Refused():
            return [{**_refusal(refusal), **place} for refusal in cause.refusals]
        case Overloaded():
            return [{**_overloaded(cause), **place}]
        case _:
            return [{**masked(cause, references), **place}]


def _refusal(refusal: Refusal) -> Formatted:
    return top_level(
        refusal.message,
        refusal.code,
        path=list(refusal.path) or ["input"],
        httpStatus=refusal.http_status,
    )


def _overloaded(overloaded: Overloaded) -> Formatted:
    code = OUTCOME_UNKNOWN if isinstance(overloaded, OutcomeUnknown) else OVERLOADED
    return top_level(overloaded.message, code, retryAfterSeconds=overloaded.retry_after_seconds)


def retry_after(answered: Mapping[str, Any]) -> int | None:
    """The seconds to wait, if all root fields failed because the gateway or its database is
    overloaded.
    """
    errors: list[Formatted] = answered.get("errors") or []
    extensions = [error.get("extensions") or {} for error in errors]
    if not errors or any(
        each.get("code") not in {OVERLOADED, OUTCOME_UNKNOWN} for each in extensions
    ):
        return None
    if any(value is not None for value in (answered.get("data") or {}).values()):
        return None
    return max(int(each["retryAfterSeconds"]) for each in extensions)


def masked(fault: BaseException, references: dict[int, str] | None = None) -> Formatted:
    """Log an internal error with its traceback. The response contains only the reference."""
    known = references if references is not None else {}
    reference = known.get(id(fault))
    if reference is None:
        reference = known[id(fault)] = secrets.token_hex(4)
        logger.error("Internal error. Reference: %s", reference, exc_info=fault)
    return top_level(f"Internal error. Reference: {reference}", INTERNAL)
