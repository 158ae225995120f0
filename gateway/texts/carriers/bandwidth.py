"""Bandwidth.

It signs nothing; it shows the user and password that its application was told for callbacks (HTTP Basic, RFC 7617;
dev.bandwidth.com/docs/messaging/webhooks, "Webhook authentication"). Each callback is a list; it comes again for a day
until it is answered, and may come twice.
"""

from base64 import b64decode
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
    basic,
    reported,
    same,
    text_at,
)
from gateway.texts.text import Arrived, Reported, State

_STATES = {"message-sent": State.SENT, "message-delivered": State.DELIVERED, "message-failed": State.FAILED}


class Bandwidth(Carrier):
    """An application sends, a user and its password are shown to us."""

    kind = Kind.BANDWIDTH
    name = "Bandwidth"
    fields = (
        Field("account", N_("Account ID"), N_("A number, at the top of Bandwidth’s dashboard.")),
        Field("application", N_("Application ID"), N_("Of the messaging application that has these numbers.")),
        Field("user", N_("API user")),
        Field("password", N_("API password"), is_secret=True),
        Field("callback_user", N_("User for callbacks"), N_("As typed in the application, under Callback settings.")),
        Field("callback_password", N_("Password for callbacks"), is_secret=True),
    )

    def is_genuine(self, account: Account, posted: Posted, now: datetime) -> bool:
        """See the module."""
        scheme, _, shown = posted.header("Authorization").partition(" ")
        try:
            user, _, password = b64decode(shown.strip(), validate=True).decode().partition(":")
        except ValueError:
            return False
        right = same(user, account.said("callback_user")), same(password, account.secret("callback_password"))
        return scheme.lower() == "basic" and all(right)

    def read(self, account: Account, posted: Posted) -> list[Arrived | Reported]:
        """What it lists, one by one."""
        found = posted.json()
        if not isinstance(found, list):
            raise CannotRead("no list")
        news: list[Arrived | Reported] = []
        for each in found:
            kind, id = text_at(each, "type"), text_at(each, "message.id")
            if kind == "message-received":
                media = at(each, "message.media")
                news.append(
                    Arrived(
                        text_at(each, "to") or text_at(each, "message.to.0"),
                        text_at(each, "message.from"),
                        text_at(each, "message.text"),
                        tuple(map(str, media)) if isinstance(media, list) else (),
                        id,
                    )
                )
            else:
                code, why = text_at(each, "errorCode"), text_at(each, "description")
                news += reported(id, _STATES.get(kind), code, why)
        return news

    def outgoing(self, account: Account, number: str, other: str, body: str, callback: str | None) -> Outgoing:
        """dev.bandwidth.com/apis/messaging-apis/messaging; reports go where the application says."""
        api = account.said("api", "https://messaging.bandwidth.com").rstrip("/")
        return Outgoing(
            f"{api}/api/v2/users/{account.said('account')}/messages",
            basic(account.said("user"), account.secret("password")),
            json={"applicationId": account.said("application"), "from": number, "to": [other], "text": body},
        )

    def accepted(self, account: Account, found: Any) -> Taken:
        """It names the text."""
        return Taken(text_at(found, "id"))

    def fault(self, found: Any) -> str:
        """Of the fields that it names, the first."""
        first = text_at(found, "fieldErrors.0.description")
        return ": ".join(filter(None, (text_at(found, "description"), first)))
