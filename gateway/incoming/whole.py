"""An ASGI extension: a response in one message, with its headers as they are sent.

uvicorn checks and joins the headers of each response, which takes longer than parsing a request.
The message has the keys `status`, `head` (header lines, each with its line end), and `body`. The
server adds Content-Length, and the headers that it adds to every response.
"""

from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

WHOLE: Final = "gateway.response.whole"


async def send_whole(cycle: RequestResponseCycle, message: Any) -> None:
    """Send a response, as the cycle's own `send` does for its start and its body."""
    if cycle.flow.write_paused and not cycle.disconnected:
        await cycle.flow.drain()
    if cycle.disconnected:
        return
    body: bytes = message["body"]
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    cycle.transport.write(
        b"".join(
            (
                STATUS_LINE[message["status"]],
                *[b"%b: %b\r\n" % header for header in cycle.default_headers],
                message["head"],
                b"content-length: %d\r\n" % len(body),
                b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n",
                body,
            )
        )
    )
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
