"""When a delivery is tried again, when it is given up, and when its endpoint is; section 8.7."""

from datetime import datetime, timedelta
from typing import Final

from resolvers.vocabulary import NotificationChannel

ACCEPTED: Final = 200
GONE: Final = 410

FIRST_WAIT_SECONDS: Final = 10
GROWTH: Final = 4
LONGEST_WAIT_SECONDS: Final = 3_600
GROWS_UP_TO: Final = 10
"""After so many failures the wait is the longest; the power is not taken any further."""

JITTER: Final = 0.1
"""Which part of a wait chance adds or takes away, so that what failed together is spread."""

FAILING_FOR: Final = timedelta(days=3)
KEY_OVERLAP: Final = timedelta(hours=1)
"""For how long the previous key is valid beside the new one."""


def is_accepted(channel: NotificationChannel, *, status: int | None, error: str | None) -> bool:
    """Whether an attempt has succeeded: any answer but 200 is a failure (X-5)."""
    if channel is NotificationChannel.HTML_EMAIL:
        return error is None
    return status == ACCEPTED


def reason_of(*, status: int | None, error: str | None) -> str:
    """Why an attempt has failed, for people."""
    if error is not None:
        return error
    return "did not answer" if status is None else f"answered {status} instead of {ACCEPTED}"


def next_attempt_at(
    failures: int, *, now: datetime, give_up_at: datetime, chance: float
) -> datetime:
    """When to try again: after 10 s, 40 s, 160 s … at most an hour, a tenth more or less by chance.

    `chance` is from 0 to 1. The last attempt is made when it is time to give up.
    """
    grown = FIRST_WAIT_SECONDS * GROWTH ** (min(failures, GROWS_UP_TO) - 1)
    seconds = min(grown, LONGEST_WAIT_SECONDS) * (1 + JITTER * (2 * chance - 1))
    return min(now + timedelta(seconds=seconds), give_up_at)


def is_given_up(*, now: datetime, give_up_at: datetime) -> bool:
    """Whether a failure was the last; the instant itself still counts as the last."""
    return now >= give_up_at


def disabled_because(
    *, status: int | None, failing_since: datetime | None, now: datetime
) -> str | None:
    """Why an endpoint is disabled by a failure, or None. `failing_since` is the first of a row."""
    if status == GONE:
        return "It answered 410 Gone."
    if failing_since is not None and now - failing_since >= FAILING_FOR:
        return f"Every attempt has failed for {FAILING_FOR.days} days."
    return None


def valid_keys(
    current: str, previous: str | None, previous_until: datetime | None, *, now: datetime
) -> list[str]:
    """The keys that are valid now, the newest first."""
    if previous is None or previous_until is None or previous_until <= now:
        return [current]
    return [current, previous]
