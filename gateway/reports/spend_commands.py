"""The commands for what sources cost: ``spend add``, ``import``, ``list``, ``remove``."""

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, BinaryIO

import click

from gateway.pools import errors, setup
from gateway.pools.setup import Company
from gateway.reports import spend_book, spend_errors, spend_import
from gateway.reports.export_columns import ExportKind
from gateway.reports.export_text import decoded
from gateway.reports.money import digits_of
from gateway.reports.spend_book import Amount, month_after
from gateway.reports.spend_exports import UnreadableExport, read_export
from gateway.reports.spend_import import Clash, OtherCurrency, belongs_to
from gateway.reports.spend_sources import named_source, usual_source
from gateway.settings import Settings
from gateway.terminal import in_transaction, of_company, table

_day = click.DateTime(["%Y-%m-%d"])
_MOST_LISTED = 10_000


class UnknownSources(spend_errors.SpendError):
    """These campaigns belong to no source; say --source."""


@click.group()
def spend() -> None:
    """What sources cost: amounts for days, by hand or out of the exports of advertisements."""


@spend.command("add")
@click.argument("source")
@click.argument("amount")
@click.option("--month", type=click.DateTime(["%Y-%m"]), help="For a month, such as 2026-11.")
@click.option("--from", "first", type=_day, help="Or for days: the first, such as 2026-11-15.")
@click.option("--to", "last", type=_day, help="The last; the first by itself is one day.")
@click.option("--campaign", default="", metavar="NAME", help="Only of this campaign; else of the source as a whole.")
@click.option("--note", default="", metavar="TEXT")
@click.option("--on-top", is_flag=True, help="Besides what is there for these days, such as the fee of an agency.")
@of_company
@click.pass_obj
def add(
    settings: Settings,
    source: str,
    amount: str,
    month: datetime | None,
    first: datetime | None,
    last: datetime | None,
    campaign: str,
    note: str,
    on_top: bool,
    company: str | None,
) -> None:
    """Enter that SOURCE cost AMOUNT, in the company's currency."""
    days = _days(month, first, last)

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        source_id = await _source(connection, owner, source)
        try:
            added = await spend_book.add_amount(
                connection,
                owner.id,
                source_id,
                *days,
                _amount(amount),
                campaign=campaign.strip(),
                note=note.strip(),
                on_top=on_top,
            )
        except spend_errors.Overlaps as overlaps:
            there = "\n".join(_told(each) for each in overlaps.clashes if isinstance(each, Amount))
            raise spend_errors.SpendError(
                f"{overlaps} There is:\n{there}\nIf both shall count, say --on-top; else remove it: "
                "numberpool spend remove ID"
            ) from None
        one = await spend_book.one_amount(connection, owner.id, added)
        return f"{_told(one)} is entered."

    in_transaction(settings, work)


@spend.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--source", metavar="NAME", help="Which source the campaigns belong to, where it is not the usual one.")
@click.option(
    "--clash",
    type=click.Choice([each.value for each in Clash]),
    default=Clash.KEEP.value,
    show_default=True,
    help="What becomes of days for which something is there: keep that, let the file replace it, or count both.",
)
@click.option("--look", is_flag=True, help="Say what would be stored, and store nothing.")
@of_company
@click.pass_obj
def import_file(
    settings: Settings, file: BinaryIO, source: str | None, clash: str, look: bool, company: str | None
) -> None:
    """Store an export of Google Ads, Meta, Microsoft Advertising or Yandex Direct, or a table: FILE, or - for input.

    A table has columns source, from, to, campaign, amount. The same export imported again replaces the first.
    """
    text = decoded(file.read())
    name = Path(getattr(file, "name", "") or "").name.replace("<stdin>", "")

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        currency = await spend_book.currency_of(connection, owner.id)
        export = read_export(text, region=owner.region, currency=currency)
        if export.missing:
            raise UnreadableExport(
                "No column of this file is known as its day and amount; import it on the page Money."
            )
        others = export.currencies - {currency}
        if others:
            raise OtherCurrency(", ".join(sorted(others)), currency)
        for fault in export.faults:
            click.echo(f"left out: line {fault.line}: {fault.kind} {fault.text!r}", err=True)
        source_of = await _sources_of(connection, owner, export.kind, export.rows, source)
        planned = await spend_import.plan(connection, owner.id, export.rows, source_of)
        for each in planned.clashes:
            click.echo(f"there already: {_told(each)}", err=True)
        if look:
            return f"{len(planned.lines)} amounts, {planned.amount} {currency}, would be stored."
        stored = await spend_import.store(
            connection, owner.id, export.kind, name, export.rows, source_of, clash=Clash(clash)
        )
        left = f", {stored.left_out} left out" if stored.left_out else ""
        which = f" as import {stored.id}" if stored.id is not None else ""
        return f"{stored.number} amount{'s' * (stored.number != 1)} stored{which}{left}."

    in_transaction(settings, work)


@spend.command("list")
@click.option("--source", metavar="NAME", help="Only of this source.")
@click.option("--month", type=click.DateTime(["%Y-%m"]), help="Only for days of this month.")
@click.option("--imports", is_flag=True, help="The imports instead.")
@of_company
@click.pass_obj
def list_spend(
    settings: Settings, source: str | None, month: datetime | None, imports: bool, company: str | None
) -> None:
    """Say what was entered, the newest days first."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        if imports:
            found = await spend_import.imports(connection, owner.id, most=_MOST_LISTED)
            lines = [
                (each.id, each.kind, each.file_name, f"{each.imported_at:%Y-%m-%d}", each.number, each.amount)
                for each in found
            ]
            return table(("ID", "KIND", "FILE", "IMPORTED", "AMOUNTS", "TOGETHER"), lines, "Nothing was imported.")
        since = month.date() if month else None
        rows = await spend_book.amounts(
            connection,
            owner.id,
            source_id=None if source is None else await _source(connection, owner, source),
            since=since,
            until=month_after(since) if since else None,
            most=_MOST_LISTED,
        )
        return table(
            ("ID", "SOURCE", "CAMPAIGN", "FROM", "TO", "AMOUNT", "CURRENCY", "IMPORT"),
            [
                (
                    each.id,
                    each.source_name,
                    each.campaign,
                    each.first_day,
                    each.last_day,
                    _written(each),
                    each.currency,
                    each.import_id,
                )
                for each in rows
            ],
            "Nothing was entered.",
        )

    in_transaction(settings, work)


@spend.command("remove")
@click.argument("ids", nargs=-1, required=True, type=int, metavar="ID...")
@click.option("--import", "of_imports", is_flag=True, help="The ids are those of imports: take all of them out.")
@of_company
@click.pass_obj
def remove(settings: Settings, ids: tuple[int, ...], of_imports: bool, company: str | None) -> None:
    """Take amounts out, by their ids (``spend list``). What an import had replaced counts again."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        said = []
        for id in ids:
            if of_imports:
                gone = await spend_import.remove_import(connection, owner.id, id)
                said.append(f"Import {id}: {len(gone.amounts)} removed, {len(gone.restored)} count again.")
            else:
                one = await spend_book.one_amount(connection, owner.id, id)
                await spend_book.remove_amounts(connection, owner.id, [id])
                said.append(f"{_told(one)} is removed.")
        return "\n".join(said)

    in_transaction(settings, work)


def _days(month: datetime | None, first: datetime | None, last: datetime | None) -> tuple[date, date]:
    if (month is None) == (first is None):
        raise click.UsageError("Say --month, or --from (and --to).")
    if month is not None:
        start = month.date()
        return start, date.fromordinal(month_after(start).toordinal() - 1)
    assert first is not None
    return first.date(), (last or first).date()


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text.replace(",", "").replace(" ", ""))
    except InvalidOperation:
        raise spend_errors.BadAmount from None


async def _source(connection: Any, company: Company, name: str) -> int:
    for row in await setup.sources(connection, company):
        if row["name"] == name:
            return int(row["id"])
    raise errors.NoSuchSource(name)


async def _sources_of(
    connection: Any, company: Company, kind: ExportKind, rows: Any, source: str | None
) -> dict[str, int]:
    """The source of each campaign. Raises NoSuchSource, UnknownSources."""
    known = await setup.sources(connection, company)
    usual = usual_source(kind, known) if source is None else await _source(connection, company, source)
    found: dict[str, int] = {}
    for row in rows:
        chosen = usual if row.source is None or source is not None else named_source(row.source, known)
        if chosen is None:
            if row.source is not None:
                raise errors.NoSuchSource(row.source)
            raise UnknownSources(UnknownSources.__doc__)
        found[belongs_to(row)] = chosen
    return found


def _told(one: Amount) -> str:
    days = f"{one.first_day}" if one.first_day == one.last_day else f"{one.first_day} to {one.last_day}"
    campaign = f", {one.campaign}" if one.campaign else ""
    return f"{one.id}: {one.source_name}{campaign}, {days}: {_written(one)} {one.currency}"


def _written(one: Amount) -> str:
    return f"{one.amount:.{digits_of(one.currency)}f}"


COMMANDS: tuple[click.Command, ...] = (spend,)
