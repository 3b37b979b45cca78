"""Global ids: base64 of a type's name and a key's 32 hex digits, the same on both databases."""

from binascii import a2b_base64, b2a_base64
from uuid import UUID


def global_id(type_name: str, key: UUID) -> str:
    return b2a_base64(f"{type_name}:{key.hex}".encode(), newline=False).decode()


def parse_global_id(value: str) -> tuple[str, UUID] | None:
    """Return the type's name and the key; None for an invalid global id."""
    try:
        decoded = a2b_base64(value, strict_mode=True)
        type_name, _, digits = decoded.decode("ascii").partition(":")
        key = UUID(int=int(digits, 16))
    except ValueError:
        return None
    return (type_name, key) if type_name and len(digits) == 32 else None
