"""Vonage (once Nexmo), its SMS interface with signed webhooks.

Signature: of all fields but ``sig``, in the order of their names, ``&name=value`` where each ``&`` and ``=`` in a value
is an underscore; hashed as the account says (with MD5 the secret stands behind it, with the others it is HMAC's key),
in hex (developer.vonage.com/getting-started/concepts/signing-messages, "Manually generate a signature").
Texts come long ones in parts; texts and reports: developer.vonage.com/api/sms, …/messaging/sms/guides/inbound-sms.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
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
    Refused,
    Taken,
    reported,
    same,
    text_at,
)
from gateway.texts.text import Arrived, Part, Reported, State, length_of

# What is signed carries its time; carriers come again for a day where nobody answers.
OLDEST = timedelta(days=2)
_STATES = {
    "accepted": State.SENT,
    "buffered": State.SENT,
    "delivered": State.DELIVERED,
    "expired": State.FAILED,
    "failed": State.FAILED,
    "rejected": State.FAILED,
}
# Throttled; its own fault before anything was done (developer.vonage.com/api-errors/sms).
_LATER = ("1",)
_METHODS = {"md5": hashlib.md5, "sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha512": hashlib.sha512}


class Vonage(Carrier):
    """Its account says which hash it signs with, so all that it may choose are tried."""

    kind = Kind.VONAGE
    name = "Vonage"
    fields = (
        Field("key", N_("API key"), N_("On the first page of Vonage’s dashboard.")),
        Field("secret", N_("API secret"), N_("Beside the API key."), is_secret=True),
        Field(
            "signature_secret",
            N_("Signature secret"),
            N_("In the account settings, under SMS. Ask Vonage’s support to sign incoming messages."),
            is_secret=True,
        ),
    )

    def is_genuine(self, account: Account, posted: Posted, now: datetime) -> bool:
        """See the module."""
        said, key = _said(posted), account.secret("signature_secret")
        given, when = said.get("sig", "").lower(), said.get("timestamp", "")
        if not key or not given or not (when.isascii() and when.isdigit()):
            return False
        if abs(now.timestamp() - int(when[:12])) > OLDEST.total_seconds():
            return False
        return any(same(given, signature(key, said, method)) for method in (*_METHODS, "md5hash"))

    def read(self, account: Account, posted: Posted) -> list[Arrived | Reported]:
        """A report has a state."""
        said = _said(posted)
        id = said.get("messageId") or said.get("message-id") or ""
        if "status" in said:
            code = said.get("err-code", "")
            return reported(id, _STATES.get(said["status"]), f"Vonage {code}" if code else "")
        part = None
        if said.get("concat") == "true" and said.get("concat-part", "").isdecimal():
            part = Part(f"{said.get('msisdn')}/{said.get('concat-ref')}", int(said["concat-part"][:4]))
        return [Arrived(said.get("to", ""), said.get("msisdn", ""), said.get("text", ""), (), id, part)]

    def outgoing(self, account: Account, number: str, other: str, body: str, callback: str | None) -> Outgoing:
        """developer.vonage.com/api/sms#send-an-sms"""
        return Outgoing(
            f"{account.said('api', 'https://rest.nexmo.com').rstrip('/')}/sms/json",
            form={
                "api_key": account.said("key"),
                "api_secret": account.secret("secret"),
                "from": number.removeprefix("+"),
                "to": other.removeprefix("+"),
                "text": body,
                "type": "unicode" if length_of(body).is_unicode else "text",
                **({"status-report-req": "1", "callback": callback} if callback else {}),
            },
        )

    def accepted(self, account: Account, found: Any) -> Taken | Refused:
        """It says 200 to everything; what happened stands in the body. Of several segments the last is reported."""
        messages = found.get("messages") if isinstance(found, Mapping) else None
        if not isinstance(messages, list) or not messages:
            return Refused("an answer that Vonage does not give", again=None)
        wrong = next((each for each in messages if text_at(each, "status") != "0"), None)
        if wrong is None:
            return Taken(text_at(messages[-1], "message-id"))
        code = text_at(wrong, "status")
        # With the first part gone, sending again would send it twice.
        nothing_went = wrong is messages[0]
        again = (code in _LATER) if nothing_went else None
        return Refused(": ".join(filter(None, (code, text_at(wrong, "error-text")))), again=again)


def _said(posted: Posted) -> Mapping[str, str]:
    if not posted.is_json or not posted.body:
        return dict(posted.fields())
    found = posted.json()
    if not isinstance(found, Mapping):
        raise CannotRead("no object")
    return {str(name): str(value) for name, value in found.items() if isinstance(value, str | int)}


def signature(key: str, said: Mapping[str, str], method: str) -> str:
    """What ``sig`` must hold."""
    told = "".join(
        f"&{name}={value.replace('&', '_').replace('=', '_')}" for name, value in sorted(said.items()) if name != "sig"
    )
    if method == "md5hash":
        return hashlib.md5((told + key).encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
    return hmac.new(key.encode(), told.encode("utf-8", "replace"), _METHODS[method]).hexdigest()
