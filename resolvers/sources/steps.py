"""The steps of a row: commands of the domain, refused in the words of the source."""

from collections.abc import Mapping, Sequence

from resolvers.outcomes import Outcome
from resolvers.refusals import Refusal, Refused

Names = Mapping[str, tuple[str, ...]]
"""Where the source has what a command has under its own name."""


def done(results: Sequence[Outcome | Refused], names: Names) -> Outcome:
    """What a step came to, the first of its outcomes.

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
    return first


def moved_to_source(refusal: Refusal, names: Names) -> Refusal:
    """The refusal with the path of the member that it is about; the row's own if there is none."""
    given, refusal.path = refusal.path, ()
    for position, name in enumerate(given):
        if name in names:
            refusal.path = (
                *names[name],
                *(step for step in given[position + 1 :] if step.isdigit()),
            )
    return refusal
