"""Reading the frames of a WebSocket."""

import pytest
from websockets.frames import CloseCode, Frame, Opcode

from gateway.incoming.frames import (
    Failure,
    FrameReader,
    close_frame,
    require_valid_close,
    text_frame,
)

MOST_BYTES = 1_000
MOST_FRAMES = 5


def read(reader: FrameReader, data: bytes) -> list[tuple[Opcode, bytes]]:
    return list(reader.messages(data, most_bytes=MOST_BYTES, most_frames=MOST_FRAMES))


def sent(kind: Opcode, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """A frame as a client sends it."""
    return Frame(kind, payload, fin).serialize(mask=True)


PING_BETWEEN = [
    sent(Opcode.TEXT, b"one ", fin=False),
    sent(Opcode.PING, b"?"),
    sent(Opcode.CONT, b"two ", fin=False),
    sent(Opcode.CONT, b"three"),
    sent(Opcode.TEXT, b"x" * 900),
    sent(Opcode.BINARY),
]
MESSAGES = [
    (Opcode.PING, b"?"),
    (Opcode.TEXT, b"one two three"),
    (Opcode.TEXT, b"x" * 900),
    (Opcode.BINARY, b""),
]


@pytest.mark.parametrize("size", [1, 3, 7, 10_000])
def test_messages_are_the_same_however_the_data_arrive(size: int):
    """And nothing is kept at their end."""
    reader, data = FrameReader(), b"".join(PING_BETWEEN)

    found = [
        message
        for start in range(0, len(data), size)
        for message in read(reader, data[start : start + size])
    ]

    assert found == MESSAGES
    assert reader.is_empty


def test_a_part_of_a_frame_or_message_is_kept():
    for part in (sent(Opcode.TEXT, b"text")[:-1], sent(Opcode.TEXT, b"text", fin=False), b"\x81"):
        reader = FrameReader()
        assert read(reader, part) == []
        assert not reader.is_empty


BROKEN = {
    "without a mask": (text_frame(b"text"), CloseCode.PROTOCOL_ERROR),
    "an unknown kind": (b"\x83\x80\x00\x00\x00\x00", CloseCode.PROTOCOL_ERROR),
    "compressed": (b"\xc1\x80\x00\x00\x00\x00", CloseCode.PROTOCOL_ERROR),
    "a ping in parts": (b"\x09\x80\x00\x00\x00\x00", CloseCode.PROTOCOL_ERROR),
    "a part of nothing": (sent(Opcode.CONT), CloseCode.PROTOCOL_ERROR),
    "a message within another": (
        sent(Opcode.TEXT, fin=False) + sent(Opcode.TEXT),
        CloseCode.PROTOCOL_ERROR,
    ),
    "a large frame": (sent(Opcode.TEXT, bytes(MOST_BYTES + 1)), CloseCode.MESSAGE_TOO_BIG),
    "a large message": (
        sent(Opcode.TEXT, bytes(MOST_BYTES), fin=False) + sent(Opcode.CONT, b"1"),
        CloseCode.MESSAGE_TOO_BIG,
    ),
    "many parts": (
        sent(Opcode.TEXT, fin=False) + MOST_FRAMES * sent(Opcode.CONT, fin=False),
        CloseCode.MESSAGE_TOO_BIG,
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_breaks_the_protocol_fails_with_its_code(what: str):
    data, code = BROKEN[what]

    with pytest.raises(Failure) as failed:
        read(FrameReader(), data)

    assert failed.value.code == code


@pytest.mark.parametrize("payload", [b"\x03", b"\x00\x01", b"\x03\xed", b"\x03\xe8\xff"])
def test_a_close_that_breaks_the_protocol_fails(payload: bytes):
    with pytest.raises(Failure):
        require_valid_close(payload)


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
def test_text_is_one_frame(length: int):
    text = b"x" * length

    assert text_frame(text) == Frame(Opcode.TEXT, text).serialize(mask=False)


def test_a_reason_that_is_too_long_is_cut_between_two_characters():
    assert close_frame(4400, "é" * 70)[4:].decode() == "é" * 61
