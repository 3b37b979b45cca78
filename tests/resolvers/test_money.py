"""Money: what is a currency, and which amounts can be paid in it."""

from decimal import Decimal

import pytest

from resolvers.money import check_amount, exact, is_currency
from resolvers.refusals import OutOfRange


@pytest.mark.parametrize("code", ["GBP", "JPY", "KWD", "CLF", "XOF", "XCD", "XCG", "ZWG"])
def test_a_currency_has_a_minor_unit(code):
    """Codes that begin with X are currencies too if several states share the currency."""
    assert is_currency(code)


@pytest.mark.parametrize(
    "code", ["XXX", "XTS", "XAU", "XAG", "XDR", "XUA", "XSU", "XBA", "gbp", "QQQ", "", "GBP "]
)
def test_what_nothing_is_priced_in_is_no_currency(code):
    assert not is_currency(code)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("40", "GBP"), ("10.05", "GBP"), ("10.0500", "GBP"), ("10.00", "JPY"), ("1.005", "KWD")],
)
def test_an_amount_fits_its_currency(amount, currency):
    """Zeros at the end count as nothing."""
    check_amount(Decimal(amount), currency)


@pytest.mark.parametrize(
    ("amount", "currency", "rule"),
    [
        ("0.1", "JPY", "must have at most 0 decimals in JPY"),
        ("10.005", "GBP", "must have at most 2 decimals in GBP"),
        ("1.0005", "KWD", "must have at most 3 decimals in KWD"),
        ("-1", "GBP", "must not be negative"),
    ],
)
def test_an_amount_that_nobody_can_pay(amount, currency, rule):
    with pytest.raises(OutOfRange) as refused:
        check_amount(Decimal(amount), currency, "amount")

    assert refused.value.message == f"'amount' {rule}"


@pytest.mark.parametrize(
    ("amount", "currency", "kept"),
    [("10.00", "JPY", "10"), ("10.5", "GBP", "10.5"), ("10.0500", "GBP", "10.05")],
)
def test_an_amount_is_kept_with_the_decimals_of_its_currency(amount, currency, kept):
    assert str(exact(Decimal(amount), currency)) == kept
