"""The text of a wake-up: its sender, then the organizations and the positions of their logs."""

import re
from collections.abc import Mapping
from typing import Final
from uuid import UUID

MOST_ORGANIZATIONS: Final = 100
"""The largest number of positions in a hint. PostgreSQL limits a payload to 7999 bytes."""

_NAMED: Final = re.compile(r"([0-9a-f]{32}):(\d{1,19})", re.ASCII)


def hint_of(sender: str, positions: Mapping[UUID, int]) -> str:
    """For example `1f2e3d4c 0192f0c1a2b34c5d8e9f001122334455:7`; at most 5400 bytes."""
    named = [f"{key.hex}:{position}" for key, position in positions.items()]
    return " ".join([sender, *(named if len(named) <= MOST_ORGANIZATIONS else ())])


def positions_in(hint: str, *, sender: str) -> dict[UUID, int] | None:
    """The positions that a hint names, none if it names none or is malformed.

    None if the hint is from this sender itself.
    """
    by, *named = hint.split(" ")
    if by == sender:
        return None
    found = [_NAMED.fullmatch(each) for each in named]
    return {UUID(each[1]): int(each[2]) for each in found if each is not None} if all(found) else {}
