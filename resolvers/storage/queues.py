"""The order in which requests run: an organization that meets a lock waits apart from the others.

A request that meets a lock waits in the lane of its organization, as do the later requests of that
organization. A lock that stays takes at most a quarter of the writer's time; the requests of other
organizations run in between without delay. Later requests wait only briefly for locks: of those
that need the same lock, each joins the first one, and those that need another are carried out.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from resolvers.storage.batches import BATCH_COMMANDS, BATCH_REQUESTS, BatchOutcomes, Request

LOOKED_AT = 4 * BATCH_REQUESTS
"""How far a batch looks for requests that may be in it, past those whose key is in it already."""

PAUSES = (0.25, 0.5, 1, 2, 3)
"""How many times as long as a try that met a lock has taken, the next one waits.

It waits longer after each further try: a lock that another gateway holds for a moment is retried
soon, and a lock that stays leaves three quarters of the time to the other organizations.
"""

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
        self._failures = 0  # tries in a row that met a lock
        self._locked_at = self._later_at = 0.0  # when the lanes' next try of this kind may begin
        self._kinds: deque[Kind] = deque(
            [self._of_waiting, self._of_again, self._of_later, self._of_locked]
        )

    @property
    def ordinary(self) -> int:
        """How many requests wait that have met no lock."""
        return len(self._waiting)

    def add(self, request: Request) -> None:
        """Let a new request wait: in the lane of its organization if there is one."""
        lane = self._lanes.get(request.organization_id)
        if lane is None:
            self._waiting.append(request)
        elif lane.blocked:
            lane.locked.append(request)
        else:
            request.waits_briefly = True
            lane.later.append(request)

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
            *(self._later_at for lane in self._lanes.values() if lane.later),
            *(self._locked_at for lane in self._lanes.values() if lane.locked),
        ]
        return min(times, default=None)

    def put_back(
        self, batch: list[Request], performed: BatchOutcomes, *, now: float, took: float
    ) -> None:
        """Let the unanswered requests of a batch wait again. It ran for `took` seconds."""
        self._again.extend(performed.again)
        retried = any(request.met_lock for request in batch)
        if performed.locked:
            self._locked_at = now + took * PAUSES[min(self._failures, len(PAUSES) - 1)]
            self._failures += 1
            if not retried and not performed.answers:
                self._later_at = now + took
        elif retried:
            self._failures = 0
        for request in performed.locked:
            request.met_lock, request.waits_briefly = True, False
            self._lane_of(request).locked.append(request)
        for request in reversed(performed.apart):
            request.waits_briefly = True
            self._lane_of(request).later.appendleft(request)
        self._mark_blocked(performed)

    def all(self) -> Iterator[Request]:
        """Every request that waits."""
        yield from self._waiting
        yield from self._again
        for lane in self._lanes.values():
            yield from lane.locked
            yield from lane.later

    def _of_waiting(self, _: float) -> deque[Request]:
        return self._waiting

    def _of_again(self, _: float) -> deque[Request]:
        return self._again

    def _of_later(self, now: float) -> deque[Request]:
        return self._of_lanes(lambda lane: lane.later) if now >= self._later_at else deque()

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

    def _mark_blocked(self, performed: BatchOutcomes) -> None:
        """Note which organization's log position is locked, and close the lanes that are empty."""
        if not self._lanes:
            return
        if performed.blocked is not None:
            lane = self._lanes[performed.blocked]
            lane.blocked = True
            for request in lane.later:
                request.waits_briefly = False
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

    Of several with one key the first, since the others need its answer. A request with too many
    commands for this batch is the first of the next one.
    """
    batch: list[Request] = []
    left: list[Request] = []
    keys = set()
    most, commands = BATCH_REQUESTS, 0
    while queue and len(batch) < most and len(left) < LOOKED_AT:
        request = queue.popleft()
        if request.answer.done():
            continue
        identity = request.idempotency.identity if request.idempotency else None
        is_too_large = batch and commands + len(request.commands) > BATCH_COMMANDS
        is_repeated = identity is not None and identity in keys
        if is_too_large or is_repeated or request.together <= len(batch):
            left.append(request)
            continue
        most = min(most, request.together)
        keys.add(identity)
        batch.append(request)
        commands += len(request.commands)
    queue.extendleft(reversed(left))
    return batch
