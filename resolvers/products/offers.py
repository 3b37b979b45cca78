"""The offers of schools: products, start dates, and the places on each date."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from resolvers import checks
from resolvers.links import Owner, rows_of
from resolvers.outcomes import Outcome
from resolvers.permitted import requires
from resolvers.references import Ref
from resolvers.refusals import Invalid, OutOfRange, Refusal, Refused
from resolvers.storage.columns import one_of
from resolvers.storage.read import Read
from resolvers.storage.rows import new_row
from resolvers.storage.tables import Centre, OfferStartDate, Product, ProductOffer, columns
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.upserts import Change, PartContext, Upsert, UpsertDefinition, given, upsert
from resolvers.values import frozen
from resolvers.vocabulary import Permission

Dates = frozenset[date]


@frozen(kw_only=True)
class OfferProduct(Upsert):
    """Offer a product at a school, with start dates and the number of places on each date.

    `start_dates` are added to the existing dates. None keeps the current `capacity` or `offered`,
    so a withdrawn offer stays withdrawn. A new offer is offered.
    """

    product: Ref
    centre: Ref
    start_dates: tuple[date, ...] | None = None
    remove_start_dates: tuple[date, ...] | None = None
    capacity: int | None = None
    offered: bool | None = None


@requires(Permission.MANAGE_PRODUCTS)
def offer_products(work: UnitOfWork, commands: Sequence[OfferProduct]) -> list[Outcome | Refused]:
    """Offer each product at its school, or withdraw it.

    An offer is identified by its product and its school. A withdrawn offer keeps its dates.
    Refusals: PermissionRefusal, Invalid, OutOfRange (also more dates than an offer, and more offers
    than a school can have), NotFoundRefusal, AmbiguousReference.
    """
    return upsert(work, commands, OFFER)


def _check(command: OfferProduct) -> list[Refusal]:
    added, removed = command.start_dates or (), command.remove_start_dates or ()
    found = checks.violations(
        (checks.size, set(added), "start_dates", {"most": checks.PLAIN_LIST}),
        (checks.size, set(removed), "remove_start_dates", {"most": checks.PLAIN_LIST}),
        (
            checks.number,
            command.capacity,
            "capacity",
            {"least": 1, "most": checks.CAPACITY},
        ),
    )
    both = set(added) & set(removed)
    found += [
        Invalid("remove_start_dates", str(n), rule="must not also be in the list of additions")
        for n, day in enumerate(removed)
        if day in both
    ]
    return found


class _StartDates:
    """The dates of the offers, updated during the batch."""

    def __init__(self, loading: PartContext) -> None:
        self._before: dict[Owner, Dates] = dict.fromkeys(loading.owners, frozenset())
        if any(one.command.start_dates or one.command.remove_start_dates for one in loading.asked):
            for row in rows_of(loading.work, OfferStartDate, "offer_id", loading.owners):
                self._before[row.organization_id, row.offer_id] |= {row.starts_on}
        self._now = dict(self._before)

    def refusals(self, change: Change[Any, Any]) -> list[Refusal]:
        if len(self._wanted(change)) <= checks.PLAIN_LIST:
            return []
        rule = f"would be more than {checks.PLAIN_LIST} with those that there are"
        return [OutOfRange("start_dates", rule=rule)]

    def take(self, change: Change[Any, Any]) -> bool:
        here, wanted = self._of(change), self._wanted(change)
        self._now[change.owner] = wanted
        return wanted != here

    def save(self, work: UnitOfWork) -> None:
        nothing: Dates = frozenset()
        for owner, now in self._now.items():
            before = self._before.get(owner, nothing)
            work.delete(OfferStartDate, [_date(owner, day) for day in sorted(before - now)])
        for owner, now in self._now.items():
            before = self._before.get(owner, nothing)
            added = [new_row(OfferStartDate, **_date(owner, day)) for day in sorted(now - before)]
            work.insert(OfferStartDate, added)

    def _of(self, change: Change[Any, Any]) -> Dates:
        return self._now.get(change.owner, frozenset())

    def _wanted(self, change: Change[Any, Any]) -> Dates:
        command = change.command
        added = self._of(change) | frozenset(command.start_dates or ())
        return added - frozenset(command.remove_start_dates or ())


def _date(owner: Owner, day: date) -> dict[str, Any]:
    return {"organization_id": owner[0], "offer_id": owner[1], "starts_on": day}


class _OffersOfSchool:
    """The limit of a school's offers that are not withdrawn."""

    def __init__(self, loading: PartContext) -> None:
        schools = {
            (one.command.viewer.organization_id, one.one["centre_id"]) for one in loading.asked
        }
        self._counts = _counted(loading.work, schools)

    def refusals(self, change: Change[Any, Any]) -> list[Refusal]:
        if _more(change) <= 0 or self._counts[_school(change)] < checks.PLAIN_LIST:
            return []
        rule = f"offers {checks.PLAIN_LIST} products already"
        return [OutOfRange("centre", rule=rule)]

    def take(self, change: Change[Any, Any]) -> bool:
        self._counts[_school(change)] += _more(change)
        return False

    def save(self, work: UnitOfWork) -> None:
        pass


def _school(change: Change[Any, Any]) -> Owner:
    return change.owner[0], change.after.centre_id


def _more(change: Change[Any, Any]) -> int:
    """The number of additional offers of the school."""
    before = change.before is not None and change.before.offered
    return int(change.after.offered) - int(before)


def _counted(work: UnitOfWork, schools: set[Owner]) -> Counter[Owner]:
    if not schools:
        return Counter()
    c = columns(ProductOffer)
    read: Read[Any] = Read(
        "count offers of schools",
        lambda _: (
            sa.select(c.organization_id, c.centre_id, sa.func.count().label("total"))
            .where(
                one_of(c.organization_id, "organizations"),
                one_of(c.centre_id, "schools"),
                c.offered,
            )
            .group_by(c.organization_id, c.centre_id)
        ),
        {
            "organizations": list({organization_id for organization_id, _ in schools}),
            "schools": list({key for _, key in schools}),
        },
    )
    return Counter({(row.organization_id, row.centre_id): row.total for row in work.rows(read)})


OFFER: UpsertDefinition[OfferProduct, ProductOffer] = UpsertDefinition(
    model=ProductOffer,
    identity=("product_id", "centre_id"),
    check=_check,
    values=lambda command, _: given(capacity=command.capacity, offered=command.offered),
    one={"product": ("product_id", Product), "centre": ("centre_id", Centre)},
    parts=(_StartDates, _OffersOfSchool),
)
