"""Telnyx.

Signature: Ed25519 over the header ``telnyx-timestamp``, a bar and the body as it came, in ``telnyx-signature-ed25519``
as base64; the public key is the account's (developers.telnyx.com, Receiving webhooks, "Webhook signing"). Its own
libraries refuse what is older than five minutes, so that nobody can post it again later.
Texts and reports: developers.telnyx.com/docs/messaging/messages/receiving-webhooks.
"""

from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.texts.carriers.shape import (
    N_,
    Account,
    Carrier,
    Field,
    Kind,
    Outgoing,
    Posted,
    Taken,
    at,
    bytes_of,
    reported,
    text_at,
)
from gateway.texts.text import Arrived, Reported, State

OLDEST = timedelta(minutes=5)
_STATES = {
    "sent": State.SENT,
    "delivered": State.DELIVERED,
    "sending_failed": State.FAILED,
    "delivery_failed": State.FAILED,
}


class Telnyx(Carrier):
    """Signs with a key that is not ours to keep secret."""

    kind = Kind.TELNYX
    name = "Telnyx"
    fields = (
        Field("api_key", N_("API key"), N_("Begins with KEY; under API Keys in the portal."), is_secret=True),
        Field("public_key", N_("Public key"), N_("Under Keys & Credentials; checks what Telnyx posts.")),
    )

    def is_genuine(self, account: Account, posted: Posted, now: datetime) -> bool:
        """See the module."""
        key, signature = bytes_of(account.said("public_key")), bytes_of(posted.header("telnyx-signature-ed25519"))
        when = posted.header("telnyx-timestamp")
        if key is None or len(key) != 32 or signature is None or not (when.isascii() and when.isdigit()):
            return False
        if abs(now.timestamp() - int(when[:12])) > OLDEST.total_seconds():
            return False
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, when.encode() + b"|" + posted.body)
        except InvalidSignature:
            return False
        return True

    def read(self, account: Account, posted: Posted) -> list[Arrived | Reported]:
        """Of an event only its text is of interest, and what became of one."""
        found = posted.json()
        event, payload = text_at(found, "data.event_type"), at(found, "data.payload")
        id = text_at(payload, "id")
        if event == "message.received":
            media = at(payload, "media")
            return [
                Arrived(
                    text_at(payload, "to.0.phone_number") or text_at(payload, "to"),
                    text_at(payload, "from.phone_number"),
                    text_at(payload, "text"),
                    tuple(text_at(each, "url") for each in media) if isinstance(media, list) else (),
                    id,
                )
            ]
        if event in ("message.sent", "message.finalized"):
            state = _STATES.get(text_at(payload, "to.0.status"))
            why = text_at(payload, "errors.0.detail") or text_at(payload, "errors.0.title")
            return reported(id, state, text_at(payload, "errors.0.code"), why)
        return []

    def outgoing(self, account: Account, number: str, other: str, body: str, callback: str | None) -> Outgoing:
        """developers.telnyx.com/api-reference/messages/send-a-message"""
        return Outgoing(
            f"{account.said('api', 'https://api.telnyx.com').rstrip('/')}/v2/messages",
            {"Authorization": f"Bearer {account.secret('api_key')}"},
            json={"from": number, "to": other, "text": body, **({"webhook_url": callback} if callback else {})},
        )

    def accepted(self, account: Account, found: Any) -> Taken:
        """It names the text."""
        return Taken(text_at(found, "data.id"))

    def fault(self, found: Any) -> str:
        """With its number, which can be looked up."""
        said = text_at(found, "errors.0.detail") or text_at(found, "errors.0.title")
        return ": ".join(filter(None, (text_at(found, "errors.0.code"), said)))
