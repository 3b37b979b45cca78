"""Hands email over to the mail server of the settings."""

import asyncio
import contextlib
import ssl
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from typing import Final

import aiosmtplib
import email_validator

from gateway.outgoing.mail_servers import mail_server
from gateway.shares import Turns
from resolvers.notifications.emails import Email

SECONDS: Final = 10.0
"""For a whole message, from connecting to the end of the connection."""

GOODBYE_SECONDS: Final = 1.0
MOST_CONNECTIONS: Final = 4
"""Of this process; attempts wait for one of the `turns` first."""

PERMANENT: Final = 500
"""From here on a server says that trying again is of no use."""


class MailSender:
    """Sends one message at a time to one recipient; each has a connection of its own."""

    def __init__(
        self,
        url: str,
        sender: str,
        *,
        tls: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self._server = mail_server(url)
        self._sender = sender
        self._tls = tls or _tls(verified=not self._server.local)
        self._seconds = seconds
        self.turns = Turns(MOST_CONNECTIONS)

    async def send(self, to: str, email: Email) -> str | None:
        """Hand a message over once, in a turn: None when it is taken, else why it is not."""
        try:
            recipient = _address(to)
        except email_validator.EmailNotValidError:
            return "the address of the recipient is not valid"
        return await self._hand_over(recipient.addr_spec, _message(self._sender, recipient, email))

    async def _hand_over(self, recipient: str, message: EmailMessage) -> str | None:
        client = self._client()
        ends_at = asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(ends_at):
                await client.connect()
                await client.send_message(message, sender=self._sender, recipients=recipient)
        except TimeoutError:  # aiosmtplib's too
            return f"the mail server did not answer within {self._seconds:g} s"
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return _why_not(error)
        else:
            # the message is taken, whether or not the server says goodbye
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                async with asyncio.timeout_at(ends_at), asyncio.timeout(GOODBYE_SECONDS):
                    await client.quit()
            return None
        finally:
            client.close()

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        # with a password TLS must be there; without one it is used where it is offered
        must_start = True if server.user and not server.local else None
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.tls_from_start,
            start_tls=False if server.tls_from_start else must_start,
            tls_context=self._tls,
            timeout=self._seconds,
        )


def _message(sender: str, recipient: Address, email: Email) -> EmailMessage:
    """A message with its text and, for programs that show it, its HTML."""
    message = EmailMessage(policy=SMTP)  # whose lines end as those of email do
    message["From"] = Address(addr_spec=sender)
    message["To"] = recipient
    message["Subject"] = email.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # so that nobody's absence is an answer to it
    message.set_content(email.text)
    message.add_alternative(email.html, subtype="html")
    return message


def _address(written: str) -> Address:
    """An address whose domain is ASCII, which every mail server takes.

    Raises: EmailNotValidError.
    """
    known = email_validator.validate_email(
        written, check_deliverability=False, test_environment=True
    )
    return Address(username=known.local_part, domain=known.ascii_domain)


def _tls(*, verified: bool) -> ssl.SSLContext:
    """Certificates are asked for everywhere but on this machine, where they are made up."""
    if verified:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _why_not(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        return "the mail server's certificate is not trusted"
    match error:
        case aiosmtplib.SMTPRecipientsRefused(recipients=[refused, *_]):
            return _refused("the recipient", refused.code)
        case aiosmtplib.SMTPSenderRefused(code=code):
            return _refused("the sender", code)
        case aiosmtplib.SMTPAuthenticationError(code=code):
            return _refused("the user or the password", code)
        case aiosmtplib.SMTPConnectResponseError(code=code):
            return _refused("the connection", code)
        case aiosmtplib.SMTPResponseException(code=code):
            return _refused("the message", code)
        case aiosmtplib.SMTPServerDisconnected():
            return "the mail server hung up"
        case aiosmtplib.SMTPNotSupported() | ValueError():
            return "the mail server does not take such an address"
        case OSError():
            return "the mail server cannot be reached"
    return "the mail server does not offer what the settings ask for"


def _refused(what: str, code: int) -> str:
    when = "" if code >= PERMANENT else " for now"
    return f"the mail server refused {what}{when} ({code})"
