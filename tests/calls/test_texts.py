"""SIP MESSAGE to a tracking number, sent by SIPp to a real Asterisk: a text with its source, and no call."""

from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from gateway.local.programs import AsteriskHome
from tests.calls.exchange import Exchange
from tests.installation import Installation, Number, Row
from tests.stack import eventually

DID = "+13065552001"
OTHER_DID = "+13065552002"


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    return Installation(home, folder, dsn, [Number(DID), Number(OTHER_DID)], ("main",))


def message(body: str, *, caller: str = "<sip:+13065550142@[local_ip]>", to: str = DID) -> str:
    """SIPp's scenario: one MESSAGE (RFC 3428), taken with 202."""
    return f"""<?xml version="1.0" encoding="UTF-8" ?>
<scenario name="text">
<send retrans="500"><![CDATA[
MESSAGE sip:{to}@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: {escape(caller)};tag=[call_number]
To: <sip:{to}@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 MESSAGE
Content-Type: text/plain;charset=utf-8
Content-Length: [len]

{body}
]]></send>
<recv response="202"/>
</scenario>
""".replace("&lt;", "<").replace("&gt;", ">")


async def texts(exchange: Exchange, many: int) -> list[Row]:
    """What is kept, once that many are."""
    query = (
        "SELECT t.body, t.state, v.number, v.other, t.account_id, l.kind, l.source_id, n.e164 AS tracked "
        "FROM texts t JOIN conversations v ON v.id = t.conversation_id LEFT JOIN leads l ON l.id = t.lead_id "
        "LEFT JOIN tracking_numbers n ON n.id = v.number_id ORDER BY t.at, t.id"
    )

    async def are_there() -> bool:
        return len(await exchange.installation.sql(query)) >= many

    await eventually(are_there, 60, 0.1)
    return await exchange.installation.sql(query)


async def forget(exchange: Exchange) -> None:
    await exchange.installation.sql("DELETE FROM conversations")
    await exchange.installation.sql("DELETE FROM leads")


async def test_a_message_is_a_text_with_its_source_and_no_call(exchange: Exchange) -> None:
    body = "Hail broke a window 🏠 — can you come? Ж & <b> %0d%0a&end="
    sipp = await exchange.place(message(body, caller='"Ann, Lee" <sip:+13065550142;user=phone@[local_ip]>'))
    await sipp.done()
    (row,) = await texts(exchange, 1)
    assert (row["body"].strip(), row["state"], row["account_id"]) == (body, "received", None)
    assert (row["number"], row["other"], row["tracked"]) == (DID, "+13065550142", DID)
    assert row["kind"] == "text"
    assert await exchange.installation.sql("SELECT FROM calls") == []
    assert list((exchange.installation.spool / "outbox").iterdir()) == []
    await forget(exchange)


async def test_many_at_once_are_all_kept(exchange: Exchange) -> None:
    sipp = await exchange.place(message("text [call_number]", to=OTHER_DID), calls=40, rate=40)
    await sipp.done()
    rows = await texts(exchange, 40)
    assert sorted(row["body"].strip() for row in rows) == sorted(f"text {each}" for each in range(1, 41))
    await forget(exchange)


async def test_none_is_lost_while_the_gateway_is_dead(exchange: Exchange) -> None:
    await exchange.installation.gateway.kill()
    sipp = await exchange.place(message("is anybody there?"), calls=3)
    await sipp.done()

    async def lie_there() -> bool:
        return len(list((exchange.installation.spool / "outbox").glob("text-*"))) == 3

    await eventually(lie_there)
    await exchange.installation.gateway.start()
    rows = await texts(exchange, 3)
    assert [row["body"].strip() for row in rows] == ["is anybody there?"] * 3
    await forget(exchange)


@pytest.mark.parametrize("caller", ["<sip:anonymous@anonymous.invalid>", "<sip:%0d%0aEvent:%20x@[local_ip]>"])
async def test_whoever_writes_it_is_kept(exchange: Exchange, caller: str) -> None:
    sipp = await exchange.place(message("hello", caller=caller))
    await sipp.done()
    (row,) = await texts(exchange, 1)
    assert row["number"] == DID
    assert not row["other"].startswith("+")
    await forget(exchange)
