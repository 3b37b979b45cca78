"""Times when a room has more bookings than seats."""

from datetime import UTC, datetime, timedelta

import pytest

from resolvers.bookings.room_conflicts import crowded

START = datetime(2027, 3, 1, tzinfo=UTC)


def span(first: int, last: int) -> tuple[datetime, datetime]:
    return START + timedelta(minutes=first), START + timedelta(minutes=last)


@pytest.mark.parametrize(
    ("capacity", "own", "taken", "expected"),
    [
        (1, [(0, 60)], {(0, 60): 1, (60, 120): 1}, []),  # one after the other
        (1, [(0, 90)], {(0, 90): 1, (60, 120): 1}, [((60, 90), 2)]),
        (1, [(60, 120)], {(0, 90): 1, (60, 120): 1}, [((60, 90), 2)]),
        (2, [(0, 90)], {(0, 90): 1, (60, 120): 1}, []),  # a seat for each
        (2, [(0, 60)], {(0, 60): 3}, [((0, 60), 3)]),
        # the maximum over an interval with several counts
        (1, [(0, 90)], {(0, 90): 1, (30, 90): 1, (60, 70): 2}, [((30, 90), 4)]),
        # two intervals
        (1, [(0, 90)], {(0, 90): 1, (10, 20): 1, (40, 50): 1}, [((10, 20), 2), ((40, 50), 2)]),
        # a conflict of others, outside the times of these bookings
        (1, [(0, 30)], {(0, 30): 1, (40, 60): 2}, []),
        (1, [(0, 30), (50, 60)], {(0, 30): 1, (40, 60): 2, (50, 60): 1}, [((50, 60), 3)]),
    ],
)
def test_stretches_with_more_bookings_than_seats(capacity, own, taken, expected):
    """Intervals are limited to the given bookings, and adjacent ones are merged."""
    spans = {span(*times): count for times, count in taken.items()}

    found = crowded(capacity, [span(*times) for times in own], spans)

    assert found == [(span(*times), most) for times, most in expected]
