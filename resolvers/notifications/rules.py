"""When a delivery is retried, when it fails, and when its endpoint is disabled (domain.md, 8.7)."""

from datetime import datetime, timedelta
from typing import Final

from resolvers.vocabulary import NotificationChannel

ACCEPTED: Final = 200
GONE: Final = 410

FIRST_WAIT_SECONDS: Final = 10
GROWTH: Final = 4
LONGEST_WAIT_SECONDS: Final = 3_600
GROWS_UP_TO: Final = 10
"""After this number of failures, the delay does not grow any further."""

JITTER: Final = 0.1
"""The random part of a delay, which spreads attempts that failed at the same time."""

FAILING_FOR: Final = timedelta(days=3)
KEY_OVERLAP: Final = timedelta(hours=1)
"""How long the previous key stays valid."""


def is_accepted(channel: NotificationChannel, *, status: int | None, error: str | None) -> bool:
    """Whether an attempt succeeded. Every status except 200 is a failure (X-5)."""
    if channel is NotificationChannel.HTML_EMAIL:
        return error is None
    return status == ACCEPTED


def reason_of(*, status: int | None, error: str | None) -> str:
    """The reason of a failure as text."""
    if error is not None:
        return error
    return "did not answer" if status is None else f"answered {status} instead of {ACCEPTED}"


def next_attempt_at(
    failures: int, *, now: datetime, give_up_at: datetime, chance: float
) -> datetime:
    """The time of the next attempt: after 10 s, 40 s, 160 s and so on, at most an hour, ± 10 % at
    random.

    `chance` is from 0 to 1. The last attempt is made at the end of the 48 hours.
    """
    grown = FIRST_WAIT_SECONDS * GROWTH ** (min(failures, GROWS_UP_TO) - 1)
    seconds = min(grown, LONGEST_WAIT_SECONDS) * (1 + JITTER * (2 * chance - 1))
    return min(now + timedelta(seconds=seconds), give_up_at)


def is_given_up(*, now: datetime, give_up_at: datetime) -> bool:
    """Whether a delivery fails permanently; the deadline is inclusive."""
    return now >= give_up_at


def disabled_because(
    *, status: int | None, failing_since: datetime | None, now: datetime
) -> str | None:
    """The reason to disable an endpoint, or None. `failing_since` is the first failure in a row."""
    if status == GONE:
        return "It answered 410 Gone."
    if failing_since is not None and now - failing_since >= FAILING_FOR:
        return f"Every attempt has failed for {FAILING_FOR.days} days."
    return None


def valid_keys(
    current: str, previous: str | None, previous_until: datetime | None, *, now: datetime
) -> list[str]:
    """The valid keys, newest first."""
    if previous is None or previous_until is None or previous_until <= now:
        return [current]
    return [current, previous]
