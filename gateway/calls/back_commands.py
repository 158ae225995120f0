"""The command ``call-back``: as the button on a page, with the telephone named."""

import asyncio
from typing import Any

import click

from gateway import audit
from gateway.audit import Action
from gateway.calls import placed
from gateway.calls.placed import Asked, PlacedOutcome, Unplaceable
from gateway.calls.policy_setup import policy_of
from gateway.opening import with_database
from gateway.settings import Settings
from gateway.store.database import Database
from gateway.store.queries import load_queries

_sql = load_queries(placed.FOLDER, "placed.sql")

LOOK_SECONDS = 0.2
# A gateway that runs takes it up at once.
GATEWAY_SECONDS = 8.0

_WHY = {
    Unplaceable.WITHHELD: "the caller withheld the number",
    Unplaceable.EMERGENCY: "emergency numbers are never called from here",
    Unplaceable.PREMIUM: "that number costs whoever calls it extra",
    Unplaceable.COUNTRY: "the company's limits do not allow calls to that country (numberpool limits show)",
    Unplaceable.OURS: "that is a tracking number of yours",
    Unplaceable.IMPOSSIBLE: "that is no telephone number",
}
_STATES = {
    "telephone": "{telephone} rings. Pick it up, and {callee} is called.",
    "ringing": "It rings at {callee}.",
    "talking": "Talking with {callee}.",
}
_ENDS = {
    PlacedOutcome.ANSWERED: "Talked for {talked:.0f} s.",
    PlacedOutcome.BUSY: "{callee} was busy.",
    PlacedOutcome.NO_ANSWER: "Nobody answered at {callee}.",
    PlacedOutcome.GIVEN_UP: "Hung up before anybody answered.",
    PlacedOutcome.FAILED: "{callee} could not be reached.",
    PlacedOutcome.CUT_OFF: "Asterisk stopped in the middle of the call.",
    PlacedOutcome.TELEPHONE_BUSY: "{telephone} did not take the call: it is busy, or the call was declined.",
    PlacedOutcome.TELEPHONE_NO_ANSWER: "Nobody picked up {telephone}.",
    PlacedOutcome.TELEPHONE_UNREACHABLE: "{telephone} is not connected; see: asterisk -rx 'pjsip show aors'",
    PlacedOutcome.NO_ASTERISK: "The gateway has no connection to Asterisk now; see: numberpool doctor",
    PlacedOutcome.OLD_DIALPLAN: "Asterisk does not know calls back yet. Run numberpool asterisk render, and then: "
    "asterisk -rx 'dialplan reload' ; asterisk -rx 'manager reload'",
    PlacedOutcome.NO_TRUNK: "No trunk is named in the settings; add a [[nodes.trunks]] table.",
    PlacedOutcome.REFUSED: "Asterisk refused; the gateway's log says why.",
}


@click.command("call-back")
@click.argument("call", type=int)
@click.option("--telephone", required=True, metavar="NAME", help="Rings first: PJSIP/102, or a number outside.")
@click.pass_obj
def call_back(settings: Settings, call: int, telephone: str) -> None:
    """Call the caller of CALL back: the telephone rings, and once it is picked up, the caller is called.

    CALL is the number at the end of the address of its page. Ctrl-C hangs up.
    """

    async def work(database: Database) -> str:
        id = await _ask(database, call, telephone)
        try:
            return await _follow(database, id)
        except asyncio.CancelledError:
            async with database.everything() as connection:
                row = await _sql.placed_by_id(connection, id=id)
                await _sql.hang_up(connection, company_id=row["company_id"], id=id)
            raise

    with_database(settings, work)


async def _ask(database: Database, call_id: int, telephone: str) -> int:
    async with database.everything() as connection:
        company_id = await _sql.company_of_call(connection, call_id=call_id)
        if company_id is None:
            raise click.ClickException(f"there is no call {call_id}; the address of its page ends in its number")
        call = await _sql.answered_call(connection, company_id=company_id, call_id=call_id)
        policy = await policy_of(connection, company_id)
        ours = [call["caller"]] if call["is_ours"] else ()
        why = placed.unplaceable(call["caller"], call["region"], ours, policy.countries)
        if why is not None:
            raise click.ClickException(f"nobody is called back: {_WHY[why]}")
        try:
            dial = placed.telephone_of(telephone, call["region"])
        except ValueError as error:
            raise click.ClickException(str(error)) from None
        actor = audit.by_command()
        asked = await placed.ask(connection, company_id, call, telephone=dial, by=actor.name)
        if not isinstance(asked, Asked) or not asked.is_new:
            raise click.ClickException("somebody is calling this number now")
        await audit.note(connection, actor, company_id, Action.CALL_PLACED, f"call/{call_id}", telephone=dial)
        return asked.id


async def _follow(database: Database, id: int) -> str:
    """Say how it goes on until it has ended; what became of it."""
    said, waited = "asked", 0.0
    while True:
        async with database.everything() as connection:
            row: Any = await _sql.placed_by_id(connection, id=id)
            if row["state"] == "asked" and waited >= GATEWAY_SECONDS:
                await _sql.end_without(connection, id=id, outcome=PlacedOutcome.NO_ASTERISK.value)
                raise click.ClickException("the gateway does not answer, so nobody was called; is it running?")
        about = {"telephone": row["telephone"], "callee": row["callee"], "talked": row["talk_seconds"] or 0.0}
        if row["state"] == "ended":
            return _ENDS[PlacedOutcome(row["outcome"])].format(**about)
        if row["state"] != said:
            said = row["state"]
            click.echo(_STATES[said].format(**about))
        await asyncio.sleep(LOOK_SECONDS)
        waited += LOOK_SECONDS


COMMANDS = (call_back,)
