"""Sends a mail by the server that the settings name (SMTP)."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address, HeaderRegistry
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, make_msgid, parseaddr
from typing import Any, ClassVar

import aiosmtplib

from gateway.settings import MailSettings

# The whole conversation with the server.
ANSWER_SECONDS = 30.0
# It wants a password or an encrypted line first (RFC 4954, section 6; RFC 3207, section 4).
_WANTS_ENTRY = frozenset({530, 534, 535, 538})


class MailFault(Exception):
    """Why a mail was not taken.

    MailFault
    ├── ServerAway      it will do later
    ├── ServerRefuses   the settings need mending
    └── MailRefused     this mail will never do
    """


class ServerAway(MailFault):
    """The mail server cannot be reached, or asks to be tried later."""


class ServerRefuses(MailFault):
    """The mail server does not let us in as the settings say."""


class MailRefused(MailFault):
    """The mail server refuses this mail, or it cannot be written."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG that the HTML shows as ``<img src="cid:name">``."""

    name: str
    png: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """What is to be sent, to one person, as text and as HTML.

    ``message_id`` is the left side of its Message-ID, for a mail that may be sent again and is the same then; none:
    each has its own. ``unsubscribe`` is an address that ends such mails when it is posted to, without a question
    (RFC 8058).
    """

    to: str
    subject: str
    text: str
    html: str
    pictures: tuple[Picture, ...] = ()
    message_id: str | None = None
    unsubscribe: str | None = None


class _Unfolded:
    """A header of one long word. Folded as text is, it would become encoded words, which nothing reads there."""

    max_count: ClassVar[int] = 1

    @classmethod
    def parse(cls, value: str, kwds: dict[str, Any]) -> None:
        """As it is: printable ASCII."""
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"{value!r} cannot stand in a header")
        kwds["parse_tree"] = None
        kwds["decoded"] = value

    def fold(self, *, policy: Policy) -> str:
        """On one line."""
        return f"{self.name}: {self}{policy.linesep}"  # type: ignore[attr-defined]


def _policy() -> Policy:
    registry = HeaderRegistry()
    for name in ("List-Unsubscribe", "List-Unsubscribe-Post"):
        registry.map_to_type(name, _Unfolded)  # type: ignore[arg-type]
    return SMTP.clone(header_factory=registry)


_POLICY = _policy()


def written(mail: Mail, sender: str, reply_to: str | None = None) -> EmailMessage:
    """The message as it travels (RFC 5322). Raises MailRefused for what would write a header of its own."""
    name, address = parseaddr(sender)
    message = EmailMessage(policy=_POLICY)
    try:
        message["From"] = Address(name, addr_spec=address)
        message["To"] = Address(addr_spec=mail.to)
        # Python decodes what looks like an encoded word (RFC 2047), and a line end in it would begin another header.
        message["Subject"] = mail.subject.replace("=?", "= ?")
        message["Date"] = format_datetime(datetime.now(UTC))
        domain = address.rpartition("@")[2]
        message["Message-ID"] = f"<{mail.message_id}@{domain}>" if mail.message_id else make_msgid("numberpool", domain)
        if reply_to is not None:
            answers_to, answers_at = parseaddr(reply_to)
            message["Reply-To"] = Address(answers_to, addr_spec=answers_at)
        if mail.unsubscribe is not None:
            message["List-Unsubscribe"] = f"<{mail.unsubscribe}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        # No answer by machines, please (RFC 3834).
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        html = message.get_payload()[-1]  # type: ignore[index]
        for picture in mail.pictures:
            html.add_related(  # type: ignore[union-attr]
                picture.png,
                "image",
                "png",
                cid=f"<{picture.name}>",
                disposition="inline",
                filename=f"{picture.name}.png",
            )
        message.as_bytes()
    except (ValueError, UnicodeError, IndexError, MessageError) as error:
        raise MailRefused(f"the mail cannot be written: {error}") from None
    return message


async def send(settings: MailSettings, mail: Mail) -> str:
    """Hand a mail to the server; what it said as it took it. Raises ServerAway, ServerRefuses, MailRefused."""
    assert settings.host is not None
    assert settings.sender is not None
    message = written(mail, settings.sender, settings.reply_to)
    where = f"{settings.host}:{settings.port}"
    context = _tls(settings)
    client = aiosmtplib.SMTP(
        hostname=settings.host,
        port=settings.port,
        use_tls=settings.security == "tls",
        start_tls=False,
        tls_context=context,
        timeout=ANSWER_SECONDS,
    )
    try:
        await client.connect()
        if settings.security == "starttls":
            await client.ehlo()
            if not client.supports_extension("starttls"):
                raise ServerRefuses(f"{where} offers no STARTTLS, which mail.security asks for")
            await client.starttls(tls_context=context)
        if settings.user is not None and settings.password is not None:
            await client.login(settings.user, settings.password.get_secret_value())
        _, said = await client.send_message(
            message, sender=settings.envelope_from or parseaddr(settings.sender)[1], recipients=[mail.to]
        )
        return _said(said)
    except aiosmtplib.SMTPAuthenticationError as error:
        raise ServerRefuses(
            f"{where} does not take mail.user and mail.password ({error.code} {_said(error.message)})"
        ) from None
    except aiosmtplib.SMTPRecipientsRefused as error:
        refusal = error.recipients[0]
        raise _by_code(where, refusal.code, refusal.message) from None
    except aiosmtplib.SMTPSenderRefused as error:
        raise _by_code(where, error.code, error.message, of_all=True) from None
    except aiosmtplib.SMTPResponseException as error:
        raise _by_code(where, error.code, error.message) from None
    except aiosmtplib.SMTPNotSupported as error:
        raise ServerRefuses(f"{where} does not speak as [mail] says ({_said(str(error))})") from None
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        refused = next(
            (each for each in (error, error.__cause__) if isinstance(each, ssl.SSLCertVerificationError)), None
        )
        if refused is not None:
            raise ServerRefuses(
                f"the certificate of {where} is not trusted ({refused.verify_message}); name mail.tls_ca"
            ) from None
        raise ServerAway(f"{where} cannot be reached ({_said(str(error)) or type(error).__name__})") from None
    finally:
        # Taken is taken: a polite end is not worth waiting for.
        client.close()


def _by_code(where: str, code: int, message: str, *, of_all: bool = False) -> MailFault:
    """RFC 5321, section 4.2.1: 4xx passes, 5xx stays. ``of_all``: no mail of this sender would be taken."""
    said = f"{where} said {code} {_said(message)}"
    if 400 <= code < 500:
        return ServerAway(said)
    return ServerRefuses(said) if of_all or code in _WANTS_ENTRY else MailRefused(said)


def _said(message: str) -> str:
    return " ".join(message.split())[:200]


def _tls(settings: MailSettings) -> ssl.SSLContext | None:
    if settings.security == "none":
        return None
    try:
        return ssl.create_default_context(cafile=str(settings.tls_ca) if settings.tls_ca else None)
    except OSError as error:
        raise ServerRefuses(f"mail.tls_ca: cannot read {settings.tls_ca} ({error.strerror})") from None
