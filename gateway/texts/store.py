"""Texts kept in Postgres: what came counts once however often it is handed in, and reports in whatever order."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from gateway.delivery.letters import Letter, post
from gateway.leads.texting import lead_of_text
from gateway.store.database import Connection
from gateway.store.queries import load_queries
from gateway.texts.accounts import mail_to
from gateway.texts.text import SILENCE, Inbound, Report, State, Wish, is_telephone, later, wish_of

_queries = load_queries(Path(__file__).parent, "texts.sql")
# Reports of texts that were not sent from here.
_REPORTS_KEPT = timedelta(days=1)


async def store(connection: Connection, news: Inbound | Report) -> None:
    """Write what a carrier said, over a connection that sees its company."""
    if isinstance(news, Inbound):
        await keep(connection, news)
    else:
        await note_report(connection, news)


async def keep(connection: Connection, text: Inbound) -> int:
    """Write a text that came in; its id, or that of the same one handed in before."""
    company = text.company_id
    if text.carrier_id is not None:
        await _queries.wait_for_turn(connection, what=f"text {text.account_id} {text.carrier_id}")
        of_carrier = {"company_id": company, "account_id": text.account_id, "carrier_id": text.carrier_id}
        known: int | None = await _queries.known(connection, **of_carrier)
        if known is not None:
            return known
    if text.part is not None and (begun := await _joined(connection, text)) is not None:
        return begun
    # Two of one person at one moment: the first begins the lead.
    await _queries.wait_for_turn(connection, what=f"conversation {company} {text.number} {text.other}")
    conversation = await _queries.conversation(
        connection,
        company_id=company,
        number=text.number,
        other=text.other,
        account_id=text.account_id,
        at=text.received_at,
    )
    id: int = await _queries.add_inbound(
        connection,
        company_id=company,
        conversation_id=conversation["id"],
        body=text.body,
        media=json.dumps(text.media),
        account_id=text.account_id,
        carrier_id=text.carrier_id,
        part_of=text.part.of if text.part else None,
        parts=json.dumps({text.part.place: text.body}) if text.part else None,
        at=text.received_at,
    )
    wish = wish_of(text.body)
    if wish is Wish.STOP:
        await _queries.opt_out(
            connection, company_id=company, other=text.other, word=text.body[:40], at=text.received_at
        )
    elif wish is Wish.START:
        await _queries.opt_in(connection, company_id=company, other=text.other)
    before: datetime | None = conversation["last_at"]
    # Whoever wants no more is no new customer.
    is_new = wish is None and (before is None or text.received_at - before >= SILENCE)
    if is_new:
        lead_id = await lead_of_text(
            connection,
            company,
            number_id=conversation["number_id"],
            number=text.number if is_telephone(text.number) else "",
            phone=text.other if is_telephone(text.other) else "",
            body=text.body,
            received_at=text.received_at,
            media=len(text.media),
        )
        await _queries.begins_lead(connection, company_id=company, id=id, lead_id=lead_id)
    for address in await mail_to(connection, company):
        await post(connection, Letter.TEXT, company=company, text=id, to=address)
    return id


async def _joined(connection: Connection, text: Inbound) -> int | None:
    """Put a part to those that came before it; none where it is the first."""
    assert text.part is not None
    company = text.company_id
    await _queries.wait_for_turn(connection, what=f"parts {text.account_id} {text.part.of}")
    begun = await _queries.begun_in_parts(
        connection, company_id=company, account_id=text.account_id, part_of=text.part.of, at=text.received_at
    )
    if begun is None:
        return None
    parts = {int(place): said for place, said in json.loads(begun["parts"]).items()}
    parts[text.part.place] = text.body
    await _queries.put_together(
        connection,
        company_id=company,
        id=begun["id"],
        parts=json.dumps(parts),
        body="".join(parts[place] for place in sorted(parts)),
    )
    id: int = begun["id"]
    return id


async def note_report(connection: Connection, report: Report) -> None:
    """Write what became of a text; it is remembered where the carrier was quicker to report than to answer."""
    of_carrier = {"company_id": report.company_id, "account_id": report.account_id, "carrier_id": report.carrier_id}
    await _queries.wait_for_turn(connection, what=f"text {report.account_id} {report.carrier_id}")
    text = await _queries.reported_of(connection, **of_carrier)
    said = {"state": report.state.value, "fault": report.fault, "at": report.received_at}
    if text is None:
        await _queries.keep_report(connection, **of_carrier, **said)
        await _queries.forget_reports(connection, before=report.received_at - _REPORTS_KEPT)
    elif later(State(text["state"]), report.state) is not State(text["state"]):
        await _queries.set_state(connection, company_id=report.company_id, id=text["id"], **said)


async def was_taken(
    connection: Connection, company_id: int, id: int, account_id: int, carrier_id: str, now: datetime
) -> None:
    """The carrier took a text; what it reported before it said so is noted now."""
    if carrier_id:
        await _queries.wait_for_turn(connection, what=f"text {account_id} {carrier_id}")
    await _queries.was_taken(connection, company_id=company_id, id=id, carrier_id=carrier_id or None, at=now)
    if not carrier_id:
        return
    state = State.SENT
    of_carrier = {"company_id": company_id, "account_id": account_id, "carrier_id": carrier_id}
    kept = [row async for row in _queries.kept_reports(connection, **of_carrier)]
    for row in kept:
        said = State(row["state"])
        if later(state, said) is not state:
            state = said
            await _queries.set_state(
                connection, company_id=company_id, id=id, state=said.value, fault=row["fault"], at=row["at"]
            )


async def opted_out(connection: Any, company_id: int, other: str) -> Any:
    """When somebody said that they want no texts, and by which word; none: they did not."""
    return await _queries.opted_out(connection, company_id=company_id, other=other)
