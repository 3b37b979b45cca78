"""Commands on agent offices and products: create or update by code."""

from collections.abc import Iterable, Sequence
from typing import Any

from resolvers import checks
from resolvers.outcomes import Outcome
from resolvers.permitted import requires
from resolvers.refusals import OutOfRange, Refusal, Refused
from resolvers.searching import search_text
from resolvers.storage.tables import AgentOffice, Product
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.upserts import Change, PartContext, Rule, Upsert, UpsertDefinition, given, upsert
from resolvers.values import frozen
from resolvers.vocabulary import Permission, ProductKind

WEEKS = 1_000


@frozen(kw_only=True)
class UpsertAgentOffice(Upsert):
    """Create or update an agent office by its code. An inactive office cannot book.

    `active` None keeps the current value; a new office is active.
    """

    code: str
    name: str
    agency: str
    active: bool | None = None


@frozen(kw_only=True)
class UpsertProduct(Upsert):
    """Create or update a product by its code. Without weeks, any length is allowed.

    `active` None keeps the current value; a new product is active.
    """

    code: str
    kind: ProductKind
    name: str
    min_weeks: int | None = None
    max_weeks: int | None = None
    active: bool | None = None


@requires(Permission.MANAGE_PRODUCTS)
def upsert_agent_offices(
    work: UnitOfWork, commands: Sequence[UpsertAgentOffice]
) -> list[Outcome | Refused]:
    """Create or update an agent office for each command, identified by its code.

    Refusals: PermissionRefusal, WrongLength, Invalid, OutOfRange, AlreadyExists.
    """
    return upsert(work, commands, AGENT_OFFICE)


@requires(Permission.MANAGE_PRODUCTS)
def upsert_products(work: UnitOfWork, commands: Sequence[UpsertProduct]) -> list[Outcome | Refused]:
    """Create or update a product for each command, identified by its code.

    Refusals: PermissionRefusal, WrongLength, Invalid, OutOfRange (also the fewest weeks above the
    most), AlreadyExists.
    """
    return upsert(work, commands, PRODUCT)


def _check_coded(command: UpsertAgentOffice | UpsertProduct) -> list[Refusal]:
    return checks.violations(
        (checks.code, command.code, "code"),
        (checks.text, command.name, "name", {"least": 1, "most": checks.NAME}),
    )


def _check_office(command: UpsertAgentOffice) -> list[Refusal]:
    limits = {"least": 1, "most": checks.NAME}
    return _check_coded(command) + checks.violations(
        (checks.text, command.agency, "agency", limits)
    )


def _check_product(command: UpsertProduct) -> list[Refusal]:
    weeks = {"least": 1, "most": WEEKS}
    return _check_coded(command) + checks.violations(
        (checks.number, command.min_weeks, "min_weeks", weeks),
        (checks.number, command.max_weeks, "max_weeks", weeks),
    )


class _Weeks(Rule):
    """The minimum of weeks must not exceed the maximum, including stored values."""

    def __init__(self, loading: PartContext) -> None:
        pass

    def refusals(self, change: Change[Any, Any]) -> Iterable[Refusal]:
        least, most = change.after.min_weeks, change.after.max_weeks
        if least is None or most is None or least <= most:
            return []
        if change.command.min_weeks is not None:
            return [OutOfRange("min_weeks", rule="must not be greater than maxWeeks")]
        return [OutOfRange("max_weeks", rule="must not be less than minWeeks")]


def _office_values(command: UpsertAgentOffice, _: AgentOffice | None) -> dict[str, Any]:
    return given(
        code=command.code,
        name=command.name,
        search_text=search_text(command.name, command.code, command.agency),
        agency=command.agency,
        active=command.active,
    )


def _product_values(command: UpsertProduct, _: Product | None) -> dict[str, Any]:
    return given(
        code=command.code,
        kind=command.kind,
        name=command.name,
        search_text=search_text(command.name, command.code),
        min_weeks=command.min_weeks,
        max_weeks=command.max_weeks,
        active=command.active,
    )


AGENT_OFFICE: UpsertDefinition[UpsertAgentOffice, AgentOffice] = UpsertDefinition(
    model=AgentOffice,
    identity=("code",),
    check=_check_office,
    values=_office_values,
)

PRODUCT: UpsertDefinition[UpsertProduct, Product] = UpsertDefinition(
    model=Product,
    identity=("code",),
    check=_check_product,
    values=_product_values,
    parts=(_Weeks,),
)
