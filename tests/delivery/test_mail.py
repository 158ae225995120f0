"""Mails to a real SMTP server: taken, put off, refused; and nobody writes a header of his own."""

import asyncio
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from gateway.delivery.commands import COMMANDS
from gateway.delivery.mail import Mail, MailRefused, Picture, ServerAway, ServerRefuses, send, written
from gateway.settings import MailSettings, PagesSettings, Settings
from tests.delivery.post_office import PostOffice, free_port, post_office, text_of

MAIL = Mail("anna@example.com", "Приглашение: Acme & Söhne", "First line.\n\nhttps://x/y\n", "<p>First line.</p>")


def settings(office: PostOffice, **more: object) -> MailSettings:
    values = {"host": "127.0.0.1", "port": office.port, "security": "none", "from": "Calls <calls@example.com>"}
    return MailSettings.model_validate({**values, **more})


async def test_a_mail_arrives_whole_with_both_bodies(tmp_path: Path) -> None:
    async with post_office(tmp_path) as office:
        await send(settings(office), MAIL)
    message = office.taken[0]
    assert message["Subject"] == MAIL.subject
    assert message["From"] == "Calls <calls@example.com>"
    assert message["To"] == "anna@example.com"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@example.com>")
    assert text_of(message).split() == MAIL.text.split()
    assert text_of(message, "html").strip() == MAIL.html
    assert office.recipients == ["anna@example.com"]


async def test_password_and_starttls_with_an_authority_of_ones_own(tmp_path: Path) -> None:
    async with post_office(tmp_path, tls=True, user=("calls", "secret")) as office:
        safe = {"security": "starttls", "tls_ca": office.ca, "user": "calls"}
        await send(settings(office, **safe, password=SecretStr("secret")), MAIL)
        assert len(office.taken) == 1
        with pytest.raises(ServerRefuses, match=r"does not take mail\.user and mail\.password"):
            await send(settings(office, **safe, password=SecretStr("wrong")), MAIL)
        with pytest.raises(ServerRefuses, match="certificate"):
            await send(settings(office, security="starttls", user="calls", password="secret"), MAIL)
        with pytest.raises(ServerRefuses, match="tls_ca: cannot read"):
            await send(settings(office, security="starttls", tls_ca=tmp_path / "none.pem"), MAIL)


async def test_starttls_with_a_server_that_knows_none_sends_nothing(tmp_path: Path) -> None:
    async with post_office(tmp_path) as office:
        with pytest.raises(ServerRefuses, match="no STARTTLS"):
            await send(settings(office, security="starttls"), MAIL)
        assert office.taken == []


async def test_what_passes_is_told_from_what_stays(tmp_path: Path) -> None:
    async with post_office(tmp_path) as office:
        office.answers = ["451 4.3.0 come back later", "554 5.7.1 this looks like spam"]
        with pytest.raises(ServerAway, match="451"):
            await send(settings(office), MAIL)
        with pytest.raises(MailRefused, match="554"):
            await send(settings(office), MAIL)
        with pytest.raises(MailRefused, match="no such person"):
            await send(settings(office), Mail("nobody@example.com", "x", "x", "x"))
    with pytest.raises(ServerAway, match="cannot be reached"):
        await send(settings(PostOffice(free_port())), MAIL)


@pytest.mark.parametrize(
    "mail",
    [
        Mail("anna@example.com\r\nBcc: evil@example.com", "x", "x", "x"),
        Mail("anna@example.com, evil@example.com", "x", "x", "x"),
        Mail("anna@example.com\n", "x", "x", "x"),
        Mail("anna@example.com", "x\r\nBcc: evil@example.com", "x", "x"),
        Mail("anna@example.com", "x\n\nwhole body", "x", "x"),
        Mail("", "x", "x", "x"),
        Mail("<>", "x", "x", "x"),
        Mail("no address", "x", "x", "x"),
    ],
)
def test_nobody_writes_a_header_of_his_own(mail: Mail) -> None:
    with pytest.raises(MailRefused):
        written(mail, "calls@example.com")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"host": "mail.example.com"}, "from is missing"),
        ({"host": "mail.example.com", "from": "x"}, "write an address"),
        ({"host": "mail.example.com", "from": "x <a@b>\r\nBcc: c@d"}, "write an address"),
        ({"host": "mail.example.com", "from": "a@b", "user": "x"}, "belong together"),
        ({"host": "mail.example.com", "from": "a@b", "user": "x", "password": "y", "security": "none"}, "in the clear"),
        ({"host": "mail example"}, "write its name"),
    ],
)
def test_settings_that_will_not_do_are_refused_in_words(values: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        MailSettings.model_validate(values)


def test_links_in_letters_lead_where_the_settings_say_or_there_are_none() -> None:
    mail = MailSettings.model_validate({"host": "mail.example.com", "from": "a@example.com"})
    with pytest.raises(ValueError, match=r"pages\.public_url"):
        Settings(mail=mail)
    assert Settings(mail=mail, pages=PagesSettings(public_url="https://calls.example")).mail.is_set_up
    assert not Settings().mail.is_set_up


def test_the_password_may_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    for name, value in {
        "PAGES__PUBLIC_URL": "https://calls.example",
        "MAIL__HOST": "mail.example.com",
        "MAIL__FROM": "Calls <calls@example.com>",
        "MAIL__USER": "calls",
        "MAIL__PASSWORD_FILE": str(tmp_path / "secret"),
    }.items():
        monkeypatch.setenv(f"NUMBERPOOL_{name}", value)
    mail = Settings().mail
    assert mail.password is not None
    assert mail.password.get_secret_value() == "s3cret"
    assert mail.sender == "Calls <calls@example.com>"


async def test_the_command_says_what_became_of_a_letter(tmp_path: Path) -> None:
    async with post_office(tmp_path) as office:
        whole = Settings(mail=settings(office), pages=PagesSettings(public_url="https://calls.example"))

        async def told(address: str, known: Settings = whole) -> tuple[int, str]:
            arguments = ["test", address]
            result = await asyncio.to_thread(CliRunner().invoke, COMMANDS[0], arguments, obj=known)
            return result.exit_code, result.output or str(result.exception)

        assert await told("anna@example.com") == (
            0,
            f"127.0.0.1:{office.port} took a letter for anna@example.com. Look whether it arrives.\n",
        )
        assert office.recipients == ["anna@example.com"]
        for address, words in (("nobody@example.com", "no such person"), ("a@b\nBcc: c@d", "cannot be written")):
            code, output = await told(address)
            assert code == 1
            assert words in output
        code, output = await told("anna@example.com", Settings())
        assert code == 1
        assert "no mail server is named" in output


def test_an_encoded_word_in_a_name_hides_no_header() -> None:
    """What looks like one is decoded by Python's own email package, line ends and all."""
    mail = Mail("anna@example.com", "Missed: =?utf-8?q?=0D=0ABcc=3A_evil=40example=2Ecom?=", "x", "x")
    message = message_from_bytes(written(mail, "calls@example.com").as_bytes(), policy=policy.default)
    assert message["Bcc"] is None
    assert "evil" in message["Subject"]


async def test_a_mail_with_pictures_a_way_out_and_an_identity_arrives_whole(tmp_path: Path) -> None:
    leave = "https://calls.a-rather-long-name-of-a-host.example.com/mail/leave/7f-" + "a" * 60
    pictures = (Picture("logo", b"\x89PNG not really"),)
    mail = replace(MAIL, pictures=pictures, message_id="0123456789", unsubscribe=leave)
    async with post_office(tmp_path) as office:
        more = {"reply_to": "Büro <office@example.com>", "envelope_from": "bounces@example.com"}
        assert await send(settings(office, **more), mail) == "OK"
    message = office.taken[0]
    assert office.senders == ["bounces@example.com"]
    assert message["Reply-To"] == "Büro <office@example.com>"
    assert message["Message-ID"] == "<0123456789@example.com>"
    assert message["List-Unsubscribe"] == f"<{leave}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"List-Unsubscribe: <{leave}>\r\n".encode() in office.raw[0]
    picture = next(part for part in message.walk() if part.get_content_type() == "image/png")
    assert (picture["Content-ID"], picture.get_payload(decode=True)) == ("<logo>", b"\x89PNG not really")
