"""What comes of an attempt to deliver."""

from resolvers.values import frozen


@frozen
class Answer:
    """What came of an attempt: a status, whatever became of its body, or why there is none."""

    status: int | None = None
    error: str | None = None
