"""Retry times, final failure, and disabling an endpoint."""

from datetime import UTC, datetime, timedelta

import pytest

from resolvers.notifications import rules
from resolvers.vocabulary import NotificationChannel

NOW = datetime(2027, 1, 11, 12, tzinfo=UTC)
LATE = NOW + timedelta(hours=48)


def waits(failures: int, chance: float = 0.5, give_up_at: datetime = LATE) -> float:
    at = rules.next_attempt_at(failures, now=NOW, give_up_at=give_up_at, chance=chance)
    return (at - NOW).total_seconds()


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(1, 10), (2, 40), (3, 160), (4, 640), (5, 2560), (6, 3600), (7, 3600), (10_000, 3600)],
)
def test_each_wait_is_four_times_the_last_and_at_most_an_hour(failures: int, seconds: int):
    """10 s, 40 s, 160 s …, without randomness."""
    assert waits(failures) == seconds


@pytest.mark.parametrize(("chance", "seconds"), [(0, 36), (0.25, 38), (0.5, 40), (1, 44)])
def test_chance_spreads_a_wait_by_a_tenth(chance: float, seconds: int):
    """Deliveries that fail together are not retried together."""
    assert waits(2, chance) == pytest.approx(seconds)


def test_the_last_attempt_is_at_the_end():
    """No wait goes beyond the instant at which it is given up."""
    assert waits(9, 1, NOW + timedelta(minutes=59)) == 59 * 60
    assert not rules.is_given_up(now=LATE - timedelta(microseconds=1), give_up_at=LATE)
    assert rules.is_given_up(now=LATE, give_up_at=LATE)


@pytest.mark.parametrize(
    ("channel", "status", "error", "accepted"),
    [
        ("HTTP_JSON", 200, None, True),
        ("HTTP_XML", 200, None, True),
        ("HTTP_JSON", 201, None, False),
        ("HTTP_JSON", 204, None, False),
        ("HTTP_JSON", 302, None, False),
        ("HTTP_JSON", 410, None, False),
        ("HTTP_JSON", None, "hung up", False),
        ("HTTP_JSON", None, None, False),
        ("HTML_EMAIL", None, None, True),
        ("HTML_EMAIL", None, "the mail server hung up", False),
    ],
)
def test_only_200_is_success(channel: str, status: int | None, error: str | None, accepted: bool):
    """Any other response is a failure (X-5); an email without an error is accepted."""
    given = NotificationChannel(channel)
    assert rules.is_accepted(given, status=status, error=error) is accepted


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        (500, None, "answered 500 instead of 200"),
        (None, "hung up", "hung up"),
        (None, None, "did not answer"),
    ],
)
def test_a_failure_has_a_reason(status: int | None, error: str | None, reason: str):
    """In words, whatever the sender knew."""
    assert rules.reason_of(status=status, error=error) == reason


@pytest.mark.parametrize(
    ("status", "days", "disabled"),
    [
        (410, None, True),
        (410, 0, True),
        (500, None, False),
        (500, 0, False),
        (500, 2.999, False),
        (500, 3, True),
        (None, 4, True),
    ],
)
def test_gone_or_three_days_of_failures_disable(
    status: int | None, days: float | None, disabled: bool
):
    """410 at once, anything else when nothing else has come for three days."""
    since = None if days is None else NOW - timedelta(days=days)
    reason = rules.disabled_because(status=status, failing_since=since, now=NOW)
    assert (reason is not None) is disabled


@pytest.mark.parametrize(
    ("previous", "minutes", "keys"),
    [(None, None, ["new"]), ("old", 1, ["new", "old"]), ("old", 0, ["new"]), ("old", -1, ["new"])],
)
def test_the_previous_key_is_valid_until_its_end(
    previous: str | None, minutes: int | None, keys: list[str]
):
    """The newest first."""
    until = None if minutes is None else NOW + timedelta(minutes=minutes)
    assert rules.valid_keys("new", previous, until, now=NOW) == keys
