"""What comes of an attempt to deliver."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an attempt: a status, whatever became of its body, or why there is none."""

    status: int | None = None
    error: str | None = None
