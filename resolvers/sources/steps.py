"""The steps of a row: commands of the domain, refused in the words of the source."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import takewhile

from resolvers.outcomes import Outcome
from resolvers.refusals import Refusal, Refused, renamed

Names = Mapping[str, tuple[str, ...]]
"""Where the source has what a command has under its own name."""


def done(results: Sequence[Outcome | Refused], names: Names) -> Outcome:
    """What a step came to, the first of its outcomes, its warnings at the source's own members.

    Raises: Refused, with every refusal of every command of the step, at the source's own members.
    """
    naming = partial(_at_source, names=names)
    refusals = [
        refusal
        for result in results
        if isinstance(result, Refused)
        for refusal in renamed(result, naming).refusals
    ]
    if refusals:
        raise Refused(refusals)
    first = results[0]
    assert isinstance(first, Outcome)
    return first.renamed(naming)


def moved_to_source(refusal: Refusal, names: Names) -> Refusal:
    """The refusal with the path of the member that it is about; the row's own if there is none."""
    refusal.rename(partial(_at_source, names=names))
    return refusal


def _at_source(given: Sequence[str], names: Names) -> tuple[str, ...]:
    path: tuple[str, ...] = ()
    if len(given) > 1 and given[0].isdigit():  # the index of a command among several
        given = (given[1], given[0], *given[2:])
    for position, name in enumerate(given):
        if name not in names:
            continue
        # inside an element of a list what stands there comes after it
        is_inside = bool(path) and path[-1].isdigit()
        path = (*path, names[name][-1]) if is_inside else names[name]
        path += tuple(takewhile(str.isdigit, given[position + 1 :]))
    return path
