"""The frames of a WebSocket [RFC 6455], and the messages that they make up.

`websockets` has a protocol object for each connection: with its parser, it holds 2 KB while nothing
arrives. Here its parser of one frame is used, and nothing is held between two messages.
"""

from collections.abc import Generator, Iterator
from typing import Final

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import CTRL_OPCODES, Close, CloseCode, Frame, Opcode
from websockets.streams import StreamReader

TEXT_FRAME: Final = 0x81
"""The first byte of a frame that is a whole text message."""

REASON_BYTES: Final = 123
"""What fits into the frame that closes a WebSocket."""


class Failure(Exception):
    """A client has broken the protocol: the connection is closed with a code and a reason."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class FrameReader:
    """Data of a client of which the last message or frame is not complete."""

    __slots__ = ("_frame", "_kind", "_parts", "_size", "_stream")

    def __init__(self) -> None:
        self._stream = StreamReader()
        self._frame: Generator[None, None, Frame] | None = None
        self._kind: Opcode | None = None
        self._parts: list[bytes] = []
        self._size = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is kept for the data that follows."""
        return self._frame is None and self._kind is None

    def messages(
        self, data: bytes, *, most_bytes: int, most_frames: int
    ) -> Iterator[tuple[Opcode, bytes]]:
        """The messages and control frames that these data complete. Raises: Failure."""
        self._stream.feed_data(data)
        while (frame := self._next_frame(most_bytes - self._size)) is not None:
            if frame.opcode in CTRL_OPCODES:
                yield frame.opcode, bytes(frame.data)
                continue
            self._add(frame, most_frames)
            if frame.fin:
                assert self._kind is not None
                message = self._kind, b"".join(self._parts)
                self._kind, self._parts, self._size = None, [], 0
                yield message

    def _next_frame(self, most_bytes: int) -> Frame | None:
        """The next complete frame. Raises: Failure."""
        if self._frame is None:
            if not self._stream.buffer:
                return None
            self._frame = Frame.parse(self._stream.read_exact, mask=True, max_size=most_bytes)
        try:
            next(self._frame)
        except StopIteration as parsed:
            self._frame = None
            frame: Frame = parsed.value
            return frame
        except PayloadTooBig as error:
            raise Failure(CloseCode.MESSAGE_TOO_BIG, str(error)) from None
        except ProtocolError as error:
            raise Failure(CloseCode.PROTOCOL_ERROR, str(error)) from None
        return None

    def _add(self, frame: Frame, most_frames: int) -> None:
        """Add a frame to the message that it belongs to. Raises: Failure."""
        if (frame.opcode is Opcode.CONT) != (self._kind is not None):
            raise Failure(CloseCode.PROTOCOL_ERROR, "unexpected kind of frame")
        if len(self._parts) >= most_frames:
            raise Failure(CloseCode.MESSAGE_TOO_BIG, "too many frames")
        if self._kind is None:
            self._kind = frame.opcode
        self._parts.append(bytes(frame.data))
        self._size += len(frame.data)


def text_frame(text: bytes) -> bytes:
    """A frame that is a whole text message; it is sent without a mask."""
    length = len(text)
    if length < 126:
        return b"%c%c%b" % (TEXT_FRAME, length, text)
    if length < 1 << 16:
        return b"%c\x7e%b%b" % (TEXT_FRAME, length.to_bytes(2), text)
    return b"%c\x7f%b%b" % (TEXT_FRAME, length.to_bytes(8), text)


def control_frame(kind: Opcode, payload: bytes = b"") -> bytes:
    """A frame that is not part of a message."""
    return Frame(kind, payload).serialize(mask=False)


def close_frame(code: int, reason: str) -> bytes:
    """The frame that closes a WebSocket; a reason that is too long is cut."""
    fitting = reason.encode()[:REASON_BYTES].decode(errors="ignore")
    return control_frame(Opcode.CLOSE, Close(code, fitting).serialize())


def require_valid_close(payload: bytes) -> None:
    """Raises: Failure, unless it is what a frame that closes can hold."""
    try:
        Close.parse(payload)
    except (ProtocolError, UnicodeDecodeError) as error:
        raise Failure(CloseCode.PROTOCOL_ERROR, str(error)) from None
