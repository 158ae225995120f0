"""A text's first message as a lead: it stands in the list and in reports as a call does."""

import json
from datetime import datetime
from pathlib import Path
from uuid import UUID

from gateway.leads.contact import Value
from gateway.leads.crediting import credit_lead
from gateway.leads.lead import kept_of
from gateway.store.database import Connection
from gateway.store.queries import load_queries
from gateway.visits.ids import new_id

TEXT = "text"
# The names of the fields of a text's lead.
MESSAGE, MEDIA = "message", "media"

_queries = load_queries(Path(__file__).parent, "texting.sql")


async def lead_of_text(
    connection: Connection,
    company_id: int,
    *,
    number_id: int | None,
    number: str,
    phone: str,
    body: str,
    received_at: datetime,
    media: int = 0,
) -> UUID:
    """The lead that a conversation begins with; its id. In the caller's transaction, which sees the company.

    ``number`` is the one it was sent to and ``phone`` the other party, both E.164; ``phone`` may be empty where it is
    no such number, as a short code is none. ``number_id``: the tracking number, where it is one. ``media`` counts what
    came with it. What brought it is decided at once, as of a call to that number at that moment.
    """
    id = new_id(received_at)
    await _queries.add_text(
        connection,
        company_id=company_id,
        id=id,
        data=_data(body, media),
        phone=phone,
        number_id=number_id,
        number=number,
        received_at=received_at,
    )
    await credit_lead(connection, company_id, id)
    return id


def _data(body: str, media: int) -> str:
    said: dict[str, Value | None] = {MESSAGE: body}
    if media:
        said[MEDIA] = media
    return json.dumps(kept_of(said), ensure_ascii=False)
