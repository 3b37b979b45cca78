"""Possible duplicates: pairs of candidates of different parties that may be one person."""

from collections.abc import Iterable
from uuid import UUID

from resolvers import checks
from resolvers.links import CANDIDATE_DUPLICATES, Owner, linked, save_links
from resolvers.storage.unit_of_work import UnitOfWork

Pair = tuple[UUID, UUID, UUID]
"""An organization and two of its candidates."""


def record_duplicates(work: UnitOfWork, pairs: Iterable[Pair]) -> None:
    """Record each pair under both candidates, once; the candidates themselves are not written.

    A candidate has at most 500; further ones are not recorded. Of each pair, the row of one
    candidate must be locked or new in this transaction, so that no pair is inserted twice. No
    statement if there are no pairs.
    """
    named = sorted(set(pairs))
    if not named:
        return
    owners = {(of, key) for of, *keys in named for key in keys}
    before = linked(work, CANDIDATE_DUPLICATES, owners)
    after: dict[Owner, frozenset[UUID]] = dict(before)
    for of, one, other in named:
        if max(len(after[of, one]), len(after[of, other])) < checks.PLAIN_LIST:
            after[of, one] |= {other}
            after[of, other] |= {one}
    save_links(work, CANDIDATE_DUPLICATES, before, after)
