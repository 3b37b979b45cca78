"""`booking-gateway`, with a clock that jumps when the process gets a signal.

SIGUSR1 sets its clock forward by an hour, SIGUSR2 back by an hour.
"""

import signal
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from gateway import __main__ as command_line
from gateway import serving
from resolvers.storage import utc_now

JUMP: Final = timedelta(hours=1)


class JumpingClock:
    def __init__(self) -> None:
        self._offset = timedelta()
        signal.signal(signal.SIGUSR1, lambda *_: self._jump(JUMP))
        signal.signal(signal.SIGUSR2, lambda *_: self._jump(-JUMP))

    def _jump(self, by: timedelta) -> None:
        self._offset += by

    def __call__(self) -> datetime:
        return utc_now() + self._offset


if __name__ == "__main__":
    serving.create_app = partial(serving.create_app, clock=JumpingClock())
    command_line.main()
