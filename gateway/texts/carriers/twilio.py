"""Twilio, and SignalWire, whose interface is the same under other names.

Signature: base64 of HMAC-SHA1, keyed by the account's token, over the address as it was typed at the carrier and then
each posted field, name and value, in the order of the names; of fields of one name each value once, in order
(twilio.com/docs/usage/webhooks/webhooks-security; developer.signalwire.com/guides/webhook-security). Some of their
servers put the port into the address and some do not, so both are tried.
Texts and reports: twilio.com/docs/messaging/guides/webhook-request, …/guides/track-outbound-message-status.
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

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
)
from gateway.texts.text import MOST_MEDIA, Arrived, Reported, State

_STATES = {
    "sent": State.SENT,
    "delivered": State.DELIVERED,
    "read": State.DELIVERED,
    "undelivered": State.FAILED,
    "failed": State.FAILED,
    "canceled": State.FAILED,
}
_PORTS = {"https": 443, "http": 80}


class Twilio(Carrier):
    """Its account is known by a SID, and its token signs as well as it opens."""

    kind = Kind.TWILIO
    name = "Twilio"
    fields: Sequence[Field] = (
        Field("account", N_("Account SID"), N_("Begins with AC; on the first page of Twilio’s console.")),
        Field("token", N_("Auth token"), N_("Beside the account SID."), is_secret=True),
    )
    answer = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
    answer_type = "text/xml"
    header = "X-Twilio-Signature"
    signs_with = "token"

    def is_genuine(self, account: Account, posted: Posted, now: datetime) -> bool:
        """See the module."""
        given, key = posted.header(self.header), account.secret(self.signs_with)
        if not given or not key:
            return False
        fields = posted.fields() if posted.body else []
        return any(same(given, signature(key, form, fields)) for each in posted.addresses for form in _forms(each))

    def read(self, account: Account, posted: Posted) -> list[Arrived | Reported]:
        """A report has a state and no text."""
        said = dict(posted.fields())
        id = said.get("MessageSid") or said.get("SmsSid") or ""
        if "Body" not in said and (state := said.get("MessageStatus") or said.get("SmsStatus")):
            return reported(id, _STATES.get(state), said.get("ErrorCode", ""), said.get("ErrorMessage", ""))
        many = said.get("NumMedia", "0")
        count = min(int(many), MOST_MEDIA) if many.isdecimal() else 0
        media = tuple(said[name] for name in (f"MediaUrl{place}" for place in range(count)) if name in said)
        return [Arrived(said.get("To", ""), said.get("From", ""), said.get("Body", ""), media, id)]

    def outgoing(self, account: Account, number: str, other: str, body: str, callback: str | None) -> Outgoing:
        """twilio.com/docs/messaging/api/message-resource"""
        name = account.said("account")
        return Outgoing(
            f"{self.api(account)}/2010-04-01/Accounts/{name}/Messages.json",
            basic(name, account.secret("token")),
            form={"From": number, "To": other, "Body": body, **({"StatusCallback": callback} if callback else {})},
        )

    def api(self, account: Account) -> str:
        """Where it takes texts."""
        return account.said("api", "https://api.twilio.com").rstrip("/")

    def accepted(self, account: Account, found: Any) -> Taken:
        """It names the text."""
        return Taken(text_at(found, "sid"))

    def fault(self, found: Any) -> str:
        """With its number, which can be looked up."""
        return ": ".join(filter(None, (text_at(found, "code"), text_at(found, "message"))))


class SignalWire(Twilio):
    """Twilio's interface in a space of one's own, signed with a key of its own."""

    kind = Kind.SIGNALWIRE
    name = "SignalWire"
    fields: Sequence[Field] = (
        Field("space", N_("Space"), N_("The name before .signalwire.com.")),
        Field("account", N_("Project ID"), N_("Under API in SignalWire’s dashboard.")),
        Field("token", N_("API token"), N_("One with the right to send messages."), is_secret=True),
        Field("signing_key", N_("Signing key"), N_("Under API as well; begins with PSK."), is_secret=True),
    )
    header = "X-SignalWire-Signature"
    signs_with = "signing_key"

    def api(self, account: Account) -> str:
        """Each space has a host of its own."""
        space = account.said("space").removesuffix(".signalwire.com")
        return account.said("api", f"https://{space}.signalwire.com/api/laml").rstrip("/")


def signature(key: str, address: str, fields: Sequence[tuple[str, str]]) -> str:
    """What the header must hold."""
    values: dict[str, set[str]] = {}
    for name, value in fields:
        values.setdefault(name, set()).add(value)
    said = address + "".join(name + value for name in sorted(values) for value in sorted(values[name]))
    return b64encode(hmac.new(key.encode(), said.encode("utf-8", "replace"), hashlib.sha1).digest()).decode()


def _forms(address: str) -> Mapping[str, None]:
    """An address as it is, with its port, and without."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition(":")[0] if parts.port else parts.netloc
    port = parts.port or _PORTS.get(parts.scheme, 443)
    return dict.fromkeys((address, *(urlunsplit(parts._replace(netloc=n)) for n in (host, f"{host}:{port}"))))
