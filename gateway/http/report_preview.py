"""The command ``reports preview``: what a mail looks like, as a page with its pictures inside."""

from datetime import UTC, datetime

import click

from gateway.errors import Mendable
from gateway.http.mail_sheet import standing_alone
from gateway.http.rendering import templates_of_checkout_or_wheel
from gateway.http.report_letters import ReportDesk
from gateway.opening import with_database
from gateway.pools.setup import the_company
from gateway.reports import mail_figures
from gateway.reports.mail_due import Kind, due
from gateway.reports.mail_subscriptions import Wish
from gateway.settings import Settings
from gateway.store.database import Database
from gateway.terminal import of_company

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class NoSuchLanguage(Mendable):
    """Mails are not written in that language; the message says in which they are."""


@click.command()
@of_company
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), default=Kind.WEEKLY.value, show_default=True)
@click.option("--language", default="en", show_default=True, metavar="TAG", help="Such as en or ru.")
@click.option("--text", is_flag=True, help="As plain text, which every mail carries as well.")
@click.pass_obj
def preview(settings: Settings, company: str | None, kind: str, language: str, text: bool) -> None:
    """Show what a report or alert by mail looks like with the figures of now; sent to nobody.

    Write it into a file, and open that with a browser: numberpool reports preview --kind weekly > weekly.html
    """
    templates = templates_of_checkout_or_wheel()
    if language not in templates.languages:
        raise NoSuchLanguage(f"mails are not written in {language!r}; choose one of {', '.join(templates.languages)}")

    async def work(database: Database) -> str:
        async with database.everything() as connection:
            id = (await the_company(connection, company)).id
        desk = ReportDesk(database, templates, settings.pages.public_url or "")
        async with database.companies(id) as connection:
            firm = await mail_figures.firm_of(connection, id)
            assert firm is not None
            wish = Wish(Kind(kind), language=language)
            now = datetime.now(UTC)
            days = due(wish.rhythm, firm.zone, now, _LONG_AGO, None) if wish.kind.is_report else None
            mail = await desk.specimen(connection, firm, wish, days)
        return f"{mail.subject}\n\n{mail.text}" if text else standing_alone(mail)

    with_database(settings, work)
