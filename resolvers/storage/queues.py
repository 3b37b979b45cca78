"""The order in which requests run: an organization that meets a lock waits apart from the others.

A request that meets a lock waits in the lane of its organization, as do the later requests of that
organization. The lanes' tries take at most a quarter of the writer's time, because each may wait
for the lock; the requests of other organizations run in between without delay.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from resolvers.storage.batches import BATCH_REQUESTS, Performed, Request

PAUSE = 3
"""How many times as long as a try that met a lock has taken, the next one waits."""

LOOKED_AT = 4 * BATCH_REQUESTS
"""How far a batch looks for requests that may be in it, past those whose key is in it already."""


Kind = Callable[[float], deque[Request]]
"""Finds the queue that a batch may be taken from at a time; an empty one if there is none."""


@dataclass(slots=True)
class Lane:
    """The requests of an organization that has met a lock.

    `later` requests have not met it: another event of the organization may be free. While the
    organization is `blocked`, its log position is locked, which every request needs.
    """

    locked: deque[Request] = field(default_factory=deque)
    later: deque[Request] = field(default_factory=deque)
    blocked: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.locked and not self.later


class Queues:
    """Everything that waits for the writer, and what runs next.

    Times are those of the event loop.
    """

    def __init__(self) -> None:
        self._waiting: deque[Request] = deque()
        self._again: deque[Request] = deque()
        self._lanes: dict[UUID | None, Lane] = {}
        self._locked_at = self._later_at = 0.0  # when the lanes' next try of this kind may begin
        self._kinds: deque[Kind] = deque(
            [self._of_waiting, self._of_again, self._of_later, self._of_locked]
        )

    def add(self, request: Request) -> None:
        """Let a new request wait: in the lane of its organization if there is one."""
        lane = self._lanes.get(request.organization_id)
        if lane is None:
            self._waiting.append(request)
        else:
            (lane.locked if lane.blocked else lane.later).append(request)

    def next_batch(self, now: float) -> list[Request]:
        """The requests that run next, in order; none if all wait for their time.

        The kinds of queue take turns.
        """
        for _ in range(len(self._kinds)):
            kind = self._kinds[0]
            self._kinds.rotate(-1)
            if batch := _taken_from(kind(now)):
                return batch
        return []

    def next_at(self) -> float | None:
        """When a request that waits may run; None if none waits."""
        if self._waiting or self._again:
            return 0.0
        times = [
            *(self._later_from for lane in self._lanes.values() if lane.later),
            *(self._locked_at for lane in self._lanes.values() if lane.locked),
        ]
        return min(times, default=None)

    def put_back(
        self, batch: list[Request], performed: Performed, *, now: float, took: float
    ) -> None:
        """Let the unanswered requests of a batch wait again. It ran for `took` seconds."""
        self._again.extend(performed.again)
        if performed.locked:
            self._locked_at = now + PAUSE * took
            if not any(request.met_lock for request in batch):
                self._later_at = self._locked_at
        for request in performed.locked:
            request.met_lock = True
            self._lane_of(request).locked.append(request)
        for request in reversed(performed.apart):
            self._lane_of(request).later.appendleft(request)
        self._mark_blocked(performed)

    def all(self) -> Iterator[Request]:
        """Every request that waits."""
        yield from self._waiting
        yield from self._again
        for lane in self._lanes.values():
            yield from lane.locked
            yield from lane.later

    @property
    def _later_from(self) -> float:
        """When the `later` requests of a lane may run: at once if no other organization waits."""
        return self._later_at if self._waiting else 0.0

    def _of_waiting(self, _: float) -> deque[Request]:
        return self._waiting

    def _of_again(self, _: float) -> deque[Request]:
        return self._again

    def _of_later(self, now: float) -> deque[Request]:
        return self._of_lanes(lambda lane: lane.later) if now >= self._later_from else deque()

    def _of_locked(self, now: float) -> deque[Request]:
        return self._of_lanes(lambda lane: lane.locked) if now >= self._locked_at else deque()

    def _of_lanes(self, kind: Callable[[Lane], deque[Request]]) -> deque[Request]:
        """A queue of the lane that has waited longest for its turn."""
        for organization_id, lane in self._lanes.items():
            if queue := kind(lane):
                del self._lanes[organization_id]
                self._lanes[organization_id] = lane
                return queue
        return deque()

    def _lane_of(self, request: Request) -> Lane:
        return self._lanes.setdefault(request.organization_id, Lane())

    def _mark_blocked(self, performed: Performed) -> None:
        """Note which organization's log position is locked, and close the lanes that are empty."""
        if not self._lanes:
            return
        if performed.blocked is not None:
            lane = self._lanes[performed.blocked]
            lane.blocked = True
            lane.locked.extend(lane.later)
            lane.later.clear()
        else:
            for request in performed.answers:
                if request.organization_id in self._lanes:
                    self._lanes[request.organization_id].blocked = False
        for organization_id in [key for key, lane in self._lanes.items() if lane.is_empty]:
            del self._lanes[organization_id]


def _taken_from(queue: deque[Request]) -> list[Request]:
    """The next requests of a queue, in order, without those that were answered meanwhile.

    Of several with one key the first, since the others need its answer.
    """
    batch: list[Request] = []
    left: list[Request] = []
    keys = set()
    most = BATCH_REQUESTS
    while queue and len(batch) < most and len(left) < LOOKED_AT:
        request = queue.popleft()
        if request.answer.done():
            continue
        identity = request.idempotency.identity if request.idempotency else None
        if (identity is not None and identity in keys) or request.together <= len(batch):
            left.append(request)
            continue
        most = min(most, request.together)
        keys.add(identity)
        batch.append(request)
    queue.extendleft(reversed(left))
    return batch
