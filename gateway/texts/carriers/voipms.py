"""VoIP.ms.

It signs nothing: it opens an address in which it fills in what it knows ({FROM}, {TO}, {MESSAGE}, {ID}, {MEDIA}), and
opens it again every half hour until the answer is ``ok`` (wiki.voip.ms, SMS-MMS, "SMS/MMS URL Callback"). So the secret
is the address itself. It reports nothing of what it sends. It sends by ``sendSMS`` up to 160 letters, by ``sendMMS``
up to 2,048 (voip.ms/m/apidocs.php), and takes requests only from addresses that its portal allows.
"""

from collections.abc import Mapping
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
    Refused,
    Taken,
    at,
    text_at,
)
from gateway.texts.text import MOST_MEDIA, Arrived, Reported

_SHORT = 160


class VoipMs(Carrier):
    """Writes ten digits."""

    kind = Kind.VOIPMS
    name = "VoIP.ms"
    fields = (
        Field("user", N_("E-mail address of the account")),
        Field(
            "password",
            N_("API password"),
            N_("Under SOAP and REST/JSON API in the portal; allow this machine’s address there."),
            is_secret=True,
        ),
    )
    signed = False
    answer = b"ok"
    query = "?to={TO}&from={FROM}&message={MESSAGE}&id={ID}&media={MEDIA}"

    def is_genuine(self, account: Account, posted: Posted, now: datetime) -> bool:
        """Whoever knows the address; see the module."""
        return True

    def read(self, account: Account, posted: Posted) -> list[Arrived | Reported]:
        """A query; its newer webhook posts JSON."""
        if posted.is_json and posted.body:
            payload = at(posted.json(), "data.payload")
            media = at(payload, "media")
            return [
                Arrived(
                    text_at(payload, "to.0.phone_number"),
                    text_at(payload, "from.phone_number"),
                    text_at(payload, "text"),
                    tuple(text_at(each, "url") for each in media) if isinstance(media, list) else (),
                    text_at(payload, "id"),
                )
            ]
        said = dict(posted.fields())
        media = tuple(each.strip() for each in said.get("media", "").split(",") if each.strip())[:MOST_MEDIA]
        return [Arrived(said.get("to", ""), said.get("from", ""), said.get("message", ""), media, said.get("id", ""))]

    def outgoing(self, account: Account, number: str, other: str, body: str, callback: str | None) -> Outgoing:
        """Posted, so that neither password nor text stands in a log of addresses."""
        return Outgoing(
            f"{account.said('api', 'https://voip.ms').rstrip('/')}/api/v1/rest.php",
            form={
                "api_username": account.said("user"),
                "api_password": account.secret("password"),
                "method": "sendSMS" if len(body) <= _SHORT else "sendMMS",
                "did": number.removeprefix("+1"),
                "dst": other.removeprefix("+1"),
                "message": body,
            },
        )

    def accepted(self, account: Account, found: Any) -> Taken | Refused:
        """It says 200 to everything; what happened stands in the body."""
        status = text_at(found, "status")
        if status == "success":
            return Taken(text_at(found, "sms") or text_at(found, "mms"))
        if isinstance(found, Mapping) and status:
            return Refused(status, again=False)
        return Refused("an answer that VoIP.ms does not give", again=None)
