"""``numberpool mail``: whether the mail server takes what we send."""

import asyncio

import click

from gateway.delivery.mail import Mail, MailFault, send
from gateway.errors import Mendable
from gateway.settings import Settings


class MailNotSent(Mendable):
    """No mail server is named, or it did not take the mail; the message says why."""


@click.group()
def mail() -> None:
    """Letters by mail: invitations, new passwords, notices."""


@mail.command("test")
@click.argument("address")
@click.pass_obj
def try_it(settings: Settings, address: str) -> None:
    """Send a letter to ADDRESS now, by the server that the settings name, and say what became of it."""
    if not settings.mail.is_set_up:
        raise MailNotSent("no mail server is named: set host and from under [mail] in the settings")
    text = "This server can send letters: invitations, new passwords, notices.\n"
    letter = Mail(address, "Numberpool can send mail", text, f"<p>{text}</p>")
    try:
        asyncio.run(send(settings.mail, letter))
    except MailFault as error:
        raise MailNotSent(f"not sent: {error}; mend [mail] in the settings") from None
    click.echo(f"{settings.mail.host}:{settings.mail.port} took a letter for {address}. Look whether it arrives.")


COMMANDS: tuple[click.Command, ...] = (mail,)
