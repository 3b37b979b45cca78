"""Where email is handed over: smtp://[USER:PASSWORD@]HOST[:PORT], or the same with smtps."""

from typing import Final
from urllib.parse import unquote, urlsplit

from resolvers.notifications.urls import this_machine
from resolvers.values import frozen

SUBMISSION_PORT: Final = 587
RELAY_PORT: Final = 25
TLS_PORT: Final = 465


class WrongMailServer(ValueError):
    """This is no address of a mail server."""


@frozen
class MailServer:
    """A server, and as whom it is used; with TLS from the start, or after STARTTLS."""

    host: str
    port: int
    user: str | None
    password: str | None
    tls_from_start: bool

    @property
    def local(self) -> bool:
        """Whether it is on this machine, where nobody reads along."""
        return this_machine(self.host)


def mail_server(url: str) -> MailServer:
    """Take an address apart; the port is 465 for smtps, 587 for a user, else 25.

    Raises: WrongMailServer.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise WrongMailServer from None
    more = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or more or port == 0:
        raise WrongMailServer
    if not url.isascii() or not url.isprintable() or " " in url:
        raise WrongMailServer
    if bool(parts.username) != bool(parts.password):
        raise WrongMailServer
    from_start = parts.scheme == "smtps"
    usual = TLS_PORT if from_start else SUBMISSION_PORT if parts.username else RELAY_PORT
    return MailServer(
        host=parts.hostname,
        port=port or usual,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        tls_from_start=from_start,
    )
