"""Money: the valid currencies, and the decimals of an amount; section 8.9a."""

from decimal import Decimal
from functools import lru_cache

from resolvers.refusals import Invalid, OutOfRange

CURRENCY_RULE = "must be the ISO 4217 code of a currency, such as GBP"


@lru_cache(maxsize=1024)
def minor_unit(code: str) -> int | None:
    """Return the number of decimals of a currency; None for a code that is not a currency.

    ISO 4217 gives no minor unit for codes in which nothing is priced: precious metals, units of
    account (XDR, XUA), test codes (XTS) and "no currency" (XXX).
    """
    from iso4217 import Currency  # at first use: the import reads ISO's table

    try:
        return Currency(code).exponent
    except ValueError:
        return None


def is_currency(code: str) -> bool:
    return minor_unit(code) is not None


def check_currency(code: str, *path: str) -> None:
    """Raises: Invalid."""
    if not is_currency(code):
        raise Invalid(*path, rule=CURRENCY_RULE)


def check_amount(amount: Decimal, currency: str, *path: str) -> None:
    """Check that an amount is not negative and can be paid in its currency.

    Trailing zeros do not count as decimals: 10.00 is a whole number of yen. Raises: OutOfRange.
    """
    decimals = minor_unit(currency)
    if amount < 0:
        raise OutOfRange(*path, rule="must not be negative")
    if decimals is not None and amount != round(amount, decimals):
        raise OutOfRange(*path, rule=f"must have at most {decimals} decimals in {currency}")


def exact(amount: Decimal, currency: str) -> Decimal:
    """Return the amount without zeros beyond the currency's decimals."""
    decimals = minor_unit(currency)
    exponent = amount.as_tuple().exponent
    if decimals is None or not isinstance(exponent, int) or -exponent <= decimals:
        return amount
    return round(amount, decimals)
