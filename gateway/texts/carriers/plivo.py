"""Plivo.

Signature: base64 of HMAC-SHA256, keyed by the account's token, over the address without its query and then the header
``X-Plivo-Signature-V2-Nonce``; in ``X-Plivo-Signature-V2`` for the account, in ``X-Plivo-Signature-Ma-V2`` for the main
one (docs.plivo.com/docs/messaging/concepts/signature-validation). Texts and reports: …/messaging/xml/request,
…/messaging/api/message/message-status-callbacks.
"""

import hashlib
import hmac
from base64 import b64encode
from datetime import datetime
from typing import Any

from gateway.texts.carriers.shape import (
    N_,
    Account,
    Carrier,
    Field,
    Kind,
    Outgoing,
    Posted,
    Taken,
    basic,
    reported,
    same,
    text_at,
    without_query,
)
from gateway.texts.text import MOST_MEDIA, Arrived, Reported, State

_STATES = {
    "sent": State.SENT,
    "delivered": State.DELIVERED,
    "read": State.DELIVERED,
    "undelivered": State.FAILED,
    "rejected": State.FAILED,
    "failed": State.FAILED,
}


class Plivo(Carrier):
    """Writes numbers without their plus."""

    kind = Kind.PLIVO
    name = "Plivo"
    fields = (
        Field("account", N_("Auth ID"), N_("On the first page of Plivo’s console.")),
        Field("token", N_("Auth token"), N_("Beside the Auth ID."), is_secret=True),
    )
    answer = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
    answer_type = "text/xml"

    def is_genuine(self, account: Account, posted: Posted, now: datetime) -> bool:
        """See the module."""
        nonce, key = posted.header("X-Plivo-Signature-V2-Nonce"), account.secret("token")
        given = [posted.header("X-Plivo-Signature-V2"), posted.header("X-Plivo-Signature-Ma-V2")]
        right = [signature(key, address, nonce) for address in posted.addresses]
        return bool(nonce and key) and any(same(one, other) for one in given for other in right)

    def read(self, account: Account, posted: Posted) -> list[Arrived | Reported]:
        """A report has a state."""
        said = dict(posted.fields())
        id = said.get("MessageUUID", "")
        if "Status" in said:
            return reported(id, _STATES.get(said["Status"]), said.get("ErrorCode", ""))
        media = tuple(said[name] for name in (f"Media{place}" for place in range(MOST_MEDIA)) if name in said)
        return [Arrived(said.get("To", ""), said.get("From", ""), said.get("Text", ""), media, id)]

    def outgoing(self, account: Account, number: str, other: str, body: str, callback: str | None) -> Outgoing:
        """docs.plivo.com/docs/messaging/api/message/send-a-message"""
        name, api = account.said("account"), account.said("api", "https://api.plivo.com").rstrip("/")
        return Outgoing(
            f"{api}/v1/Account/{name}/Message/",
            basic(name, account.secret("token")),
            json={"src": number, "dst": other, "text": body}
            | ({"url": callback, "method": "POST"} if callback else {}),
        )

    def accepted(self, account: Account, found: Any) -> Taken:
        """It names the text."""
        return Taken(text_at(found, "message_uuid.0"))

    def fault(self, found: Any) -> str:
        """A sentence, or a table of them."""
        return text_at(found, "error") or text_at(found, "error.error")


def signature(key: str, address: str, nonce: str) -> str:
    """What the header must hold."""
    said = without_query(address) + nonce
    return b64encode(hmac.new(key.encode(), said.encode("utf-8", "replace"), hashlib.sha256).digest()).decode()
