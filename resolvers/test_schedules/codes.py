"""Keycodes and PINs: secrets that nobody can guess. Drawn here, kept apart by whoever draws."""

import secrets
from collections.abc import Container
from string import ascii_uppercase, digits

KEYCODE_LENGTH = 8
PIN_LENGTH = 6
_KEYCODE = ascii_uppercase + digits


def draw_keycode(taken: Container[str] = ()) -> str:
    """Eight capital letters and digits, a letter among them: so it is never taken for an id."""
    while True:
        keycode = "".join(secrets.choice(_KEYCODE) for _ in range(KEYCODE_LENGTH))
        if not keycode.isdigit() and keycode not in taken:
            return keycode


def draw_pin() -> str:
    """Six digits."""
    return "".join(secrets.choice(digits) for _ in range(PIN_LENGTH))


def is_pin(given: str | None, pin: str | None) -> bool:
    """Whether a PIN is the one, told in the same time whatever is wrong with it."""
    if given is None or pin is None:
        return False
    return secrets.compare_digest(given.encode(errors="surrogatepass"), pin.encode())
