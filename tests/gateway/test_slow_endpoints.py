"""An endpoint that does not answer is left alone for longer each time."""

from datetime import timedelta
from uuid import uuid4

from gateway.slow_endpoints import SlowEndpoints

ENDPOINT = (uuid4(), uuid4())


def test_the_pauses_double_up_to_a_limit(clock):
    slow = SlowEndpoints(clock)
    pauses = []
    for _ in range(8):
        slow.failed(ENDPOINT)
        slow.failed(ENDPOINT)  # an attempt that began before the pause
        began = clock.now
        while slow.is_paused(ENDPOINT):
            clock.now += timedelta(seconds=1)
        pauses.append((clock.now - began).total_seconds())

    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    slow.answered(ENDPOINT)
    assert ENDPOINT not in slow


def test_a_clock_that_is_set_back_ends_a_pause(clock):
    slow = SlowEndpoints(clock)
    slow.failed(ENDPOINT)
    clock.now -= timedelta(days=1)

    assert not slow.is_paused(ENDPOINT)
