"""A filter of bookings by a text of their candidates, whose read starts from the candidates.

PostgreSQL keeps one plan for all texts, and for a text that few candidates have, that plan may read
booking by booking. There are fewer candidates than bookings, and each is read at most once.
"""

from typing import Final

from resolvers.reading import LeadingRows
from resolvers.storage.filters import (
    AllOf,
    Condition,
    Criterion,
    Filter,
    Operator,
    in_folded_form,
    prepared,
)
from resolvers.storage.narrowing import Narrowing
from resolvers.storage.tables import Candidate, columns

PARTS: Final = frozenset({Operator.CONTAINS, Operator.STARTS_WITH})

SEARCHED: Final = {
    "candidate_name": PARTS | {Operator.EQ},
    "candidate_reference": PARTS,  # a complete reference uses an index
    "candidate_email": PARTS | {Operator.EQ},
}
"""For each field, the operators with which a list starts from the candidates."""

TEXT: Final = "candidate_text"


def candidate_texts() -> dict[str, Criterion]:
    """Return the texts of a candidate that the fields of a booking filter compare."""
    c = columns(Candidate)
    return {
        "candidate_name": in_folded_form(c.name_folded),
        "candidate_email": in_folded_form(c.email_folded),
        "candidate_reference": in_folded_form(c.reference_folded),
    }


def searched_by(filter: Filter) -> tuple[Condition, Filter] | None:
    """Return a condition on a candidate that every matching booking meets, and the rest of the
    filter.

    None if the filter has no such condition.
    """
    parts = _all_of(filter)
    for n, part in enumerate(parts):
        if isinstance(part, Condition) and part.operator in SEARCHED.get(part.field, ()):
            return part, AllOf((*parts[:n], *parts[n + 1 :]))
    return None


def _all_of(filter: Filter) -> list[Filter]:
    if isinstance(filter, AllOf):
        return [inner for part in filter.parts for inner in _all_of(part)]
    return [filter]


def with_candidates(condition: Condition, rest: Narrowing) -> LeadingRows:
    """Return the candidates who meet a condition; `rest` is the condition on their bookings."""
    field, operator = condition.field, condition.operator
    comparable = prepared(condition, frozenset({field}))
    assert isinstance(comparable, Condition)

    found = Narrowing(
        ("candidates", field, operator),
        lambda: candidate_texts()[field](operator, TEXT),
        {TEXT: comparable.value},
    )
    return LeadingRows(Candidate, "candidate_id", found, rest)
