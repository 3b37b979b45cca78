"""Email: a real server on this machine takes it, or says in plain words why not."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from gateway.outgoing.mail import MailSender
from gateway.outgoing.mail_servers import MailServer, WrongMailServer, mail_server
from resolvers.notifications.emails import Email, email
from resolvers.vocabulary import NotificationTopic
from tests.gateway.receiving import certificate
from tests.patience import PATIENCE
from tests.resolvers.notifications.test_messages import AGENT

FROM = "bookings@exams.example"
TO = "staff@agency.example"
SENT = Email("Schöne Grüße", "Gruß\n", "<p>Gruß</p>")
NEVER_SECONDS = 0.3
"""The limit of an attempt that never ends; a slow machine makes no difference."""
BUSY = "451 later"
NEVER = "550 no"


class Mailbox:
    """What a server does with what it is told; it takes everything, unless an answer is given."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.taken: list[Envelope] = []
        self.encrypted: list[bool] = []

    async def handle_MAIL(  # noqa: N802 - the names are aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 OK")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.answers.get("DATA", "250 taken")
        if answer == "silence":
            await asyncio.Event().wait()
        self.taken.append(envelope)
        self.encrypted.append(server.transport.get_extra_info("sslcontext") is not None)
        return answer

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if "QUIT" in self.answers:
            await asyncio.Event().wait()
        return "221 Bye"

    def message(self) -> EmailMessage:
        [envelope] = self.taken
        assert isinstance(envelope.content, bytes)
        made = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(made, EmailMessage)
        return made


@asynccontextmanager
async def mail_server_of(
    mailbox: Mailbox, tls: ssl.SSLContext | None = None, **options: Any
) -> AsyncIterator[int]:
    """A server for a mailbox, until it is left; its port."""
    handlers: list[SMTP] = []

    def served() -> SMTP:
        handlers.append(SMTP(mailbox, loop=asyncio.get_running_loop(), **options))
        return handlers[-1]

    server = await asyncio.get_running_loop().create_server(served, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for handler in handlers:
            if handler.transport is not None:
                handler.transport.abort()
            if handler._handler_coroutine is not None:
                handler._handler_coroutine.cancel()
                await asyncio.gather(handler._handler_coroutine, return_exceptions=True)
        await server.wait_closed()


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return certificate(tmp_path_factory.mktemp("tls"), "127.0.0.1")


async def told(mailbox: Mailbox, **options: Any) -> str | None:
    async with mail_server_of(mailbox, **options) as port:
        return await MailSender(f"smtp://127.0.0.1:{port}", FROM, seconds=PATIENCE).send(TO, SENT)


async def test_a_message_arrives_in_both_forms():
    """Each in UTF-8; the text comes first, for programs that show no HTML."""
    mailbox = Mailbox()

    assert await told(mailbox) is None

    message = mailbox.message()
    assert message["From"] == FROM
    assert message["To"] == TO
    assert message["Subject"] == "Schöne Grüße"
    assert message["Message-ID"].endswith("@exams.example>")
    assert parsedate_to_datetime(message["Date"]).tzinfo is not None
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "multipart/alternative"
    text, page = message.iter_parts()
    assert (text.get_content_type(), text.get_content()) == ("text/plain", "Gruß\r\n")
    assert (page.get_content_type(), page.get_content().strip()) == ("text/html", "<p>Gruß</p>")
    assert {part.get_content_charset() for part in (text, page)} == {"utf-8"}
    assert (mailbox.taken[0].mail_from, mailbox.taken[0].rcpt_tos) == (FROM, [TO])


async def test_a_notification_arrives_as_it_was_written():
    """However long its lines are: SMTP takes 998 octets in one."""
    told_so = email(
        NotificationTopic.AGENT_BOOKING_INVALID,
        AGENT | {"validationMessages": ["wört " * 1_000, ".", "From here"]},
    )
    mailbox = Mailbox()

    async with mail_server_of(mailbox) as port:
        assert await MailSender(f"smtp://127.0.0.1:{port}", FROM).send(TO, told_so) is None

    text, page = mailbox.message().iter_parts()
    assert text.get_content().replace("\r\n", "\n") == told_so.text
    assert page.get_content().replace("\r\n", "\n") == told_so.html
    assert mailbox.message()["Subject"] == told_so.subject


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"MAIL": NEVER}, "the mail server refused the sender (550)"),
        ({"RCPT": NEVER}, "the mail server refused the recipient (550)"),
        ({"RCPT": BUSY}, "the mail server refused the recipient for now (451)"),
        ({"DATA": "554 spam"}, "the mail server refused the message (554)"),
        ({"DATA": BUSY}, "the mail server refused the message for now (451)"),
    ],
)
async def test_a_refusal_is_told_without_the_server_s_own_words(
    answers: dict[str, str], error: str
):
    """They may name machines of ours; the code says whether another attempt is of use."""
    assert await told(Mailbox(**answers)) == error


async def test_a_server_that_is_down_is_told():
    async with mail_server_of(Mailbox()) as port:
        pass

    assert await MailSender(f"smtp://127.0.0.1:{port}", FROM).send(TO, SENT) == (
        "the mail server cannot be reached"
    )


async def test_a_server_that_is_silent_is_left():
    """The limit is for the whole message, and nothing stays open."""
    late = f"the mail server did not answer within {NEVER_SECONDS} s"
    async with mail_server_of(Mailbox(DATA="silence")) as port:
        sender = MailSender(f"smtp://127.0.0.1:{port}", FROM, seconds=NEVER_SECONDS)
        assert await sender.send(TO, SENT) == late


async def test_a_message_that_was_taken_is_not_an_error_for_want_of_a_goodbye():
    """Sent again, it would arrive twice."""
    mailbox = Mailbox(QUIT="silence")

    assert await told(mailbox) is None

    assert len(mailbox.taken) == 1


@pytest.mark.parametrize(
    "recipient",
    ["", "nobody", "@agency.example", "a@b\r\nRCPT TO:<c@d>", "a b@c.example", "a@b.example, c@d"],
)
async def test_what_is_no_address_is_not_sent_to(recipient: str):
    mailbox = Mailbox()
    async with mail_server_of(mailbox) as port:
        error = await MailSender(f"smtp://127.0.0.1:{port}", FROM).send(recipient, SENT)

    assert error == "the address of the recipient is not valid"
    assert mailbox.taken == []


async def test_a_domain_is_written_in_ascii():
    mailbox = Mailbox()
    async with mail_server_of(mailbox) as port:
        sender = MailSender(f"smtp://127.0.0.1:{port}", FROM)
        assert await sender.send("staff@bücher.example", SENT) is None

    assert mailbox.taken[0].rcpt_tos == ["staff@xn--bcher-kva.example"]


@pytest.mark.parametrize("takes_utf8", [True, False])
async def test_a_name_that_is_not_ascii_needs_a_server_that_takes_it(takes_utf8: bool):
    mailbox = Mailbox()
    async with mail_server_of(mailbox, enable_SMTPUTF8=takes_utf8) as port:
        error = await MailSender(f"smtp://127.0.0.1:{port}", FROM).send("jörg@b.example", SENT)

    if takes_utf8:
        assert error is None
        assert mailbox.taken[0].rcpt_tos == ["jörg@b.example"]
    else:
        assert error == "the mail server does not take such an address"


# ---------------------------------------------------------------- TLS and passwords


async def test_starttls_is_used_where_it_is_offered(tls: tuple[ssl.SSLContext, ssl.SSLContext]):
    """On this machine with whatever certificate the server has made for itself."""
    mailbox = Mailbox()

    assert await told(mailbox, tls_context=tls[0]) is None

    assert mailbox.encrypted == [True]


async def test_tls_from_the_start(tls: tuple[ssl.SSLContext, ssl.SSLContext]):
    mailbox = Mailbox()
    async with mail_server_of(mailbox, tls[0]) as port:
        sender = MailSender(f"smtps://127.0.0.1:{port}", FROM, tls=tls[1])
        assert await sender.send(TO, SENT) is None

    assert mailbox.encrypted == [True]


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_a_certificate_that_is_not_trusted_is_told(
    tls: tuple[ssl.SSLContext, ssl.SSLContext], scheme: str
):
    from_start = {"tls": tls[0]} if scheme == "smtps" else {"tls_context": tls[0]}
    async with mail_server_of(Mailbox(), **from_start) as port:
        sender = MailSender(f"{scheme}://127.0.0.1:{port}", FROM, tls=ssl.create_default_context())
        assert await sender.send(TO, SENT) == "the mail server's certificate is not trusted"


@pytest.mark.parametrize(
    ("password", "error"),
    [("p%40ss", None), ("wrong", "the mail server refused the user or the password (535)")],
)
async def test_a_user_is_logged_in(
    tls: tuple[ssl.SSLContext, ssl.SSLContext], password: str, error: str | None
):
    def known(
        server: SMTP, session: Session, envelope: Envelope, how: str, data: Any
    ) -> AuthResult:
        right = (data.login, data.password) == (b"gateway", b"p@ss")
        return AuthResult(success=right, handled=right)

    mailbox = Mailbox()
    async with mail_server_of(
        mailbox, tls_context=tls[0], authenticator=known, auth_required=True
    ) as port:
        sender = MailSender(f"smtp://gateway:{password}@127.0.0.1:{port}", FROM)
        assert await sender.send(TO, SENT) == error

    assert len(mailbox.taken) == (error is None)


async def test_a_password_is_not_sent_in_the_clear():
    """To another machine that offers no TLS; this one is another by its name."""
    logins: list[Any] = []

    def known(
        server: SMTP, session: Session, envelope: Envelope, how: str, data: Any
    ) -> AuthResult:
        logins.append(data)
        return AuthResult(success=True)

    mailbox = Mailbox()
    async with mail_server_of(mailbox, authenticator=known, auth_require_tls=False) as port:
        sender = MailSender(f"smtp://gateway:secret@0.0.0.0:{port}", FROM)
        error = await sender.send(TO, SENT)

    assert error == "the mail server does not offer what the settings ask for"
    assert logins == mailbox.taken == []


# ---------------------------------------------------------------- the setting


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", ("mail.example", 25, None, None, False)),
        ("smtp://mail.example:2525/", ("mail.example", 2525, None, None, False)),
        ("smtp://u:p@mail.example", ("mail.example", 587, "u", "p", False)),
        ("smtps://mail.example", ("mail.example", 465, None, None, True)),
        ("smtps://u%40x:p%3A%2F@[::1]:99", ("::1", 99, "u@x", "p:/", True)),
    ],
)
def test_an_address_of_a_server_is_taken_apart(url: str, server: tuple[Any, ...]):
    assert mail_server(url) == MailServer(*server)


@pytest.mark.parametrize(
    "url", ["", "smtp:", "smtp://u@h", "smtp://:p@h", "smtp://h/x", "imap://h"]
)
def test_what_is_no_address_of_a_server_is_refused(url: str):
    with pytest.raises(WrongMailServer):
        mail_server(url)
