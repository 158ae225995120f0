"""A real SMTP server on the loopback, which keeps what it takes."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class PostOffice:
    """Takes mail; ``answers`` are what it says to the next letters in place of 250."""

    port: int
    ca: Path | None = None
    taken: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)  # of the envelopes
    raw: list[bytes] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    user: tuple[str, str] | None = None

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Who it is for."""
        if address.startswith("nobody@"):
            return "550 5.1.1 there is no such person here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """What it says."""
        if self.answers:
            return self.answers.pop(0)
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        self.recipients += envelope.rcpt_tos
        self.senders.append(envelope.mail_from or "")
        self.raw.append(content)
        return "250 OK"

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        """Whether this is the user it knows."""
        assert isinstance(data, LoginPassword)
        right = (data.login.decode(), data.password.decode()) == self.user
        return AuthResult(success=right, handled=right)


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    """One of the two bodies."""
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        port: int = each.getsockname()[1]
    return port


@asynccontextmanager
async def post_office(
    folder: Path, *, tls: bool = False, user: tuple[str, str] | None = None, port: int | None = None
) -> AsyncIterator[PostOffice]:
    """A server for as long as the block lasts; with ``tls`` it wants STARTTLS, with ``user`` a password."""
    office = PostOffice(port or free_port(), user=user)
    context = None
    if tls:
        authority = trustme.CA()
        office.ca = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(office.ca))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)

    def talk() -> SMTP:
        return SMTP(
            office,
            tls_context=context,
            require_starttls=tls,
            authenticator=office.authenticate if user else None,
            auth_required=user is not None,
            enable_SMTPUTF8=True,
            hostname="post.example",
        )

    server = await asyncio.get_running_loop().create_server(talk, "127.0.0.1", office.port)
    try:
        yield office
    finally:
        server.close()
        await server.wait_closed()
