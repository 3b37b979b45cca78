"""The keys that SQLite keeps as text."""

import pickle
from uuid import UUID

import pytest

from resolvers.storage.columns import key_of_text, new_key, text_of_key


@pytest.mark.parametrize("key", [new_key(), UUID(int=0), UUID(int=2**128 - 1)])
def test_a_key_is_read_as_it_was_written(key: UUID) -> None:
    """It cannot be told from one that the standard library makes."""
    text = text_of_key(key)
    read = key_of_text(text)

    assert text == key.hex
    assert (read, hash(read), repr(read)) == (key, hash(key), repr(key))
    assert read is not None
    assert read.is_safe is key.is_safe
    assert pickle.loads(pickle.dumps(read)) == key


def test_a_null_stays_a_null() -> None:
    assert key_of_text(None) is text_of_key(None) is None
