"""Why a request was not carried out although nothing is wrong with it.

    Overloaded
    ├── Unavailable
    └── OutcomeUnknown

A caller can repeat such a request. Each error's `message` is for the caller.
"""


class Overloaded(Exception):
    """Too many requests wait, another session held a lock for too long, or the process stops.

    Nothing was written.
    """

    message = "The gateway has too much to do; try again later. Nothing was written."

    def __init__(self, *, retry_after_seconds: int = 1) -> None:
        super().__init__(self.message)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(Overloaded):
    """The database cannot be used: no connection, no answer in time, a full disk, read-only.

    Nothing was written.
    """

    message = "The database is not available; try again later. Nothing was written."


class OutcomeUnknown(Overloaded):
    """The connection was lost during the commit: the request may have been carried out."""

    message = (
        "The database did not confirm the commit, so this request may have been carried out. "
        "Repeat it with the same idempotencyKey; if it had none, check first what was written."
    )
