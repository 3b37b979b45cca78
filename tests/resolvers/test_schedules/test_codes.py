"""Keycodes and PINs; domain.md, section 2.4, and X-2."""

import pytest

from resolvers.test_schedules import codes
from resolvers.test_schedules.codes import draw_keycode, draw_pin, is_pin


def test_a_keycode_always_has_a_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A code of digits only or one in use is generated again."""
    drawn = iter("12345678ABCD12341234567X")
    monkeypatch.setattr(codes.secrets, "choice", lambda _: next(drawn))

    assert draw_keycode({"ABCD1234"}) == "1234567X"


def test_codes_are_of_their_length_and_alphabet() -> None:
    """Keycodes have eight capital letters and digits, PINs six digits; repeats are rare."""
    keycodes, pins = {draw_keycode() for _ in range(500)}, {draw_pin() for _ in range(500)}

    assert all(len(k) == 8 and k.isalnum() and k.isascii() and k == k.upper() for k in keycodes)
    assert all(len(pin) == 6 and pin.isdigit() for pin in pins)
    assert len(keycodes) == 500
    assert len(pins) > 450


@pytest.mark.parametrize(
    ("given", "pin", "same"),
    [
        ("123456", "123456", True),
        ("123457", "123456", False),
        ("", "123456", False),
        (None, "123456", False),
        ("123456", None, False),
        (None, None, False),
        ("\ud800", "123456", False),
    ],
)
def test_a_pin_is_the_one_or_not(given: str | None, pin: str | None, same: bool) -> None:
    """Without a PIN, no value matches."""
    assert is_pin(given, pin) is same
