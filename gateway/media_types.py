"""Chooses the media type of a response by the header `Accept`."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

JSON: Final = "application/json"
GRAPHQL_RESPONSE: Final = "application/graphql-response+json"
EVENT_STREAM: Final = "text/event-stream"
MULTIPART: Final = "multipart/mixed"

ANY_JSON: Final = frozenset(
    {JSON, GRAPHQL_RESPONSE, "application/graphql+json", "application/*", "*/*"}
)
SUBSCRIPTION_SPEC: Final = "1.0"
"""The version of Apollo's protocol for subscriptions over multipart HTTP."""


@lru_cache(maxsize=256)
def negotiated(accept: str | None) -> str:
    """The media type of the response: JSON, unless the client accepts GraphQL's own at least as
    much."""
    liked = {JSON: 0.0, GRAPHQL_RESPONSE: 0.0}
    for media_type, parameters in _parts(accept):
        if media_type in liked:
            liked[media_type] = _quality(parameters)
    ours = liked[GRAPHQL_RESPONSE]
    return GRAPHQL_RESPONSE if ours > 0 and ours >= liked[JSON] else JSON


@lru_cache(maxsize=256)
def negotiated_stream(accept: str | None) -> str | None:
    """The media type in which a subscription is streamed; None if the client accepts neither.

    `multipart/mixed` counts only with the parameter `subscriptionSpec`. Server-sent events win if
    the client prefers neither.
    """
    liked = {EVENT_STREAM: 0.0, MULTIPART: 0.0}
    for media_type, parameters in _parts(accept):
        is_stream = media_type == EVENT_STREAM or (
            media_type == MULTIPART and parameters.get("subscriptionspec") == SUBSCRIPTION_SPEC
        )
        if is_stream:
            liked[media_type] = _quality(parameters)
    best = max(liked, key=lambda media_type: liked[media_type])
    return best if liked[best] > 0 else None


@lru_cache(maxsize=256)
def accepts_events_only(accept: str | None) -> bool:
    """Whether a client accepts server-sent events and no JSON."""
    liked = {media_type for media_type, parameters in _parts(accept) if _quality(parameters) > 0}
    return EVENT_STREAM in liked and liked.isdisjoint(ANY_JSON)


def _parts(accept: str | None) -> list[tuple[str, Mapping[str, str]]]:
    """The media types of a header, each with its parameters, in lower case and without quotes."""
    found: list[tuple[str, Mapping[str, str]]] = []
    for part in (accept or "").split(","):
        media_type, *pieces = (piece.strip().lower() for piece in part.split(";"))
        pairs = (piece.partition("=") for piece in pieces)
        found.append((media_type, {name: value.strip('"') for name, _, value in pairs}))
    return found


def _quality(parameters: Mapping[str, str]) -> float:
    try:
        return float(parameters.get("q", "1"))
    except ValueError:
        return 0.0
