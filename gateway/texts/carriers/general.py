"""Any other carrier: the names of its fields are typed by whoever sets it up.

Names are paths, such as ``data.from``. Signed by HMAC-SHA256 over the body, as hex or base64, with or without
``sha256=`` before it, in a header; where no key is typed, the secret is the address itself.
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.texts.carriers.shape import (
    N_,
    Account,
    CannotRead,
    Carrier,
    Field,
    Kind,
    Outgoing,
    Posted,
    Taken,
    at,
    reported,
    same,
    text_at,
)
from gateway.texts.text import Arrived, Reported, State

_STATES = {
    "sent": State.SENT,
    "accepted": State.SENT,
    "delivered": State.DELIVERED,
    "read": State.DELIVERED,
    "undelivered": State.FAILED,
    "failed": State.FAILED,
    "rejected": State.FAILED,
    "expired": State.FAILED,
}


class General(Carrier):
    """JSON or a form, posted or in the query."""

    kind = Kind.GENERAL
    name = N_("Another carrier")
    fields = (
        Field(
            "from",
            N_("Field with the sender"),
            N_("A path in JSON, such as data.from, or a form’s field."),
            usual="from",
        ),
        Field("to", N_("Field with the number written to"), usual="to"),
        Field("body", N_("Field with the text"), usual="text"),
        Field("id", N_("Field with its id"), N_("By it what comes twice counts once."), required=False, usual="id"),
        Field("media", N_("Field with pictures"), N_("An address or a list of them."), required=False, usual="media"),
        Field(
            "status",
            N_("Field with what became of a text"),
            N_("Such as sent, delivered or failed."),
            required=False,
            usual="status",
        ),
        Field("header", N_("Header with the signature"), required=False, usual="X-Signature"),
        Field(
            "key",
            N_("Key of the signature"),
            N_("HMAC-SHA256 of the body. Empty: whoever knows the address is believed."),
            is_secret=True,
            required=False,
        ),
        Field(
            "send",
            N_("Address that takes texts"),
            N_("Posted to as JSON, with the same names. Empty: nothing can be answered."),
            required=False,
            is_address=True,
        ),
        Field(
            "authorization",
            N_("Authorization header for it"),
            N_("The whole of it, such as Bearer and a key."),
            is_secret=True,
            required=False,
        ),
    )

    def is_genuine(self, account: Account, posted: Posted, now: datetime) -> bool:
        """See the module. What comes in a query is signed as it stands there."""
        key = account.secret("key")
        if not key:
            return True
        given = posted.header(account.said("header", "X-Signature")).removeprefix("sha256=")
        digest = hmac.new(key.encode(), posted.body or posted.query.encode(), hashlib.sha256).digest()
        return same(given.lower(), digest.hex()) or same(given, b64encode(digest).decode())

    def read(self, account: Account, posted: Posted) -> list[Arrived | Reported]:
        """One text or one report."""
        found: Any = posted.json() if posted.is_json and posted.body else dict(posted.fields())
        if not isinstance(found, Mapping):
            raise CannotRead("no object")

        def said(name: str, usual: str) -> str:
            path = account.said(name, usual)
            return str(found[path]) if isinstance(found.get(path), str | int) else text_at(found, path)

        body, state = said("body", "text"), said("status", "status").lower()
        if not body and state in _STATES:
            return reported(said("id", "id"), _STATES[state], state)
        media = at(found, account.said("media", "media"))
        pictures = media if isinstance(media, list) else [media] if isinstance(media, str) and media else []
        return [
            Arrived(
                said("to", "to"),
                said("from", "from"),
                body,
                tuple(each if isinstance(each, str) else text_at(each, "url") for each in pictures),
                said("id", "id"),
            )
        ]

    def outgoing(self, account: Account, number: str, other: str, body: str, callback: str | None) -> Outgoing:
        """The same names as those of what comes in."""
        told: dict[str, Any] = {}
        for name, usual, value in (("from", "from", number), ("to", "to", other), ("body", "text", body)):
            _put(told, account.said(name, usual), value)
        shown = account.secret("authorization")
        return Outgoing(account.said("send"), {"Authorization": shown} if shown else {}, json=told)

    def can_send(self, account: Account) -> bool:
        """Where an address is typed."""
        return bool(account.said("send"))

    def accepted(self, account: Account, found: Any) -> Taken:
        """Its id, where it gives one under the same name."""
        return Taken(text_at(found, account.said("id", "id")))


def _put(told: dict[str, Any], path: str, value: str) -> None:
    *folders, last = path.split(".")
    for folder in folders:
        inner = told.setdefault(folder, {})
        if not isinstance(inner, dict):
            return
        told = inner
    told[last] = value
