"""The steps of a row: commands of the domain, refused in the words of the source."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

from resolvers.outcomes import Outcome
from resolvers.refusals import Refusal, Refused

Names = Mapping[str, tuple[str, ...]]
"""Where the source has what a command has under its own name."""


def done(results: Sequence[Outcome | Refused], names: Names) -> Outcome:
    """What a step came to, the first of its outcomes, its warnings at the source's own members.

    Raises: Refused, with every refusal of every command of the step, at the source's own members.
    """
    refusals = [
        moved_to_source(refusal, names)
        for result in results
        if isinstance(result, Refused)
        for refusal in result.refusals
    ]
    if refusals:
        raise Refused(refusals)
    first = results[0]
    assert isinstance(first, Outcome)
    if not first.warnings:
        return first
    moved = (replace(one, path=_at_source(one.path, names)) for one in first.warnings)
    return replace(first, warnings=tuple(moved))


def moved_to_source(refusal: Refusal, names: Names) -> Refusal:
    """The refusal with the path of the member that it is about; the row's own if there is none."""
    refusal.path = _at_source(refusal.path, names)
    return refusal


def _at_source(given: Sequence[str], names: Names) -> tuple[str, ...]:
    path: tuple[str, ...] = ()
    for position, name in enumerate(given):
        if name not in names:
            continue
        # inside an element of a list what stands there comes after it
        is_inside = bool(path) and path[-1].isdigit()
        path = (*path, names[name][-1]) if is_inside else names[name]
        path += tuple(takewhile(str.isdigit, given[position + 1 :]))
    return path
