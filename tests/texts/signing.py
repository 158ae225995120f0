"""Carriers' signatures, computed as each documents them, apart from the code that checks them."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

TELNYX_KEY = Ed25519PrivateKey.generate()
TELNYX_PUBLIC = base64.b64encode(TELNYX_KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()

PLAIN: dict[str, dict[str, str]] = {
    "twilio": {"account": "AC0123"},
    "signalwire": {"space": "acme", "account": "project-1"},
    "telnyx": {"public_key": TELNYX_PUBLIC},
    "plivo": {"account": "MA0123"},
    "vonage": {"key": "abcd1234"},
    "bandwidth": {"account": "5500000", "application": "app-1", "user": "api", "callback_user": "bw"},
    "voipms": {"user": "owner@example.com"},
    "general": {"from": "data.sender", "to": "data.to", "body": "data.message.text", "id": "data.id"},
}
SECRETS: dict[str, dict[str, str]] = {
    "twilio": {"token": "twilio-token"},
    "signalwire": {"token": "space-token", "signing_key": "PSK-signing"},
    "telnyx": {"api_key": "KEY01"},
    "plivo": {"token": "plivo-token"},
    "vonage": {"secret": "s3cret", "signature_secret": "vonage-signature"},
    "bandwidth": {"password": "bw-api", "callback_password": "bw-callback"},
    "voipms": {"password": "voipms-api"},
    "general": {"key": "general-key", "authorization": "Bearer general"},
}
KINDS = sorted(PLAIN)
SIGNED = [kind for kind in KINDS if kind != "voipms"]

Post = tuple[str, bytes, dict[str, str]]  # query, body, headers


def _mac(key: str, said: str | bytes, method: str) -> bytes:
    return hmac.new(key.encode(), said.encode() if isinstance(said, str) else said, method).digest()


def _form(fields: dict[str, str]) -> bytes:
    return urlencode(fields).encode()


def _signed(kind: str, address: str, fields: dict[str, Any] | list[Any]) -> Post:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    as_json = {"Content-Type": "application/json"}
    secret = SECRETS[kind]
    if kind in ("twilio", "signalwire"):
        assert isinstance(fields, dict)
        said = address + "".join(name + fields[name] for name in sorted(fields))
        key, header = (
            (secret["token"], "X-Twilio-Signature")
            if kind == "twilio"
            else (secret["signing_key"], "X-SignalWire-Signature")
        )
        return "", _form(fields), {**form, header: base64.b64encode(_mac(key, said, "sha1")).decode()}
    if kind == "telnyx":
        body, when = json.dumps(fields).encode(), str(int(time.time()))
        signature = TELNYX_KEY.sign(when.encode() + b"|" + body)
        shown = base64.b64encode(signature).decode()
        return "", body, {**as_json, "telnyx-timestamp": when, "telnyx-signature-ed25519": shown}
    if kind == "plivo":
        assert isinstance(fields, dict)
        nonce = "05429567804466091622"
        right = base64.b64encode(_mac(secret["token"], address + nonce, "sha256")).decode()
        return "", _form(fields), {**form, "X-Plivo-Signature-V2": right, "X-Plivo-Signature-V2-Nonce": nonce}
    if kind == "vonage":
        assert isinstance(fields, dict)
        fields = {**fields, "timestamp": str(int(time.time())), "nonce": "f2a1"}
        told = "".join("&" + name + "=" + fields[name].replace("&", "_").replace("=", "_") for name in sorted(fields))
        fields["sig"] = hashlib.md5((told + secret["signature_secret"]).encode()).hexdigest()
        return "", _form(fields), form
    if kind == "bandwidth":
        shown = base64.b64encode(b"bw:" + secret["callback_password"].encode()).decode()
        return "", json.dumps(fields).encode(), {**as_json, "Authorization": f"Basic {shown}"}
    if kind == "voipms":
        assert isinstance(fields, dict)
        return urlencode(fields), b"", {}
    body = json.dumps(fields).encode()
    return "", body, {**as_json, "X-Signature": "sha256=" + _mac(secret["key"], body, "sha256").hex()}


def inbound(
    kind: str, address: str, *, id: str, body: str, number: str, other: str, media: tuple[str, ...] = ()
) -> Post:
    """A text as a carrier posts it to ``address``. Numbers are given as E.164 and written its way."""
    bare_number, bare_other = number.removeprefix("+"), other.removeprefix("+")
    fields: dict[str, Any] | list[Any]
    if kind in ("twilio", "signalwire"):
        fields = {"MessageSid": id, "From": other, "To": number, "Body": body, "NumMedia": str(len(media))}
        fields |= {f"MediaUrl{place}": each for place, each in enumerate(media)}
    elif kind == "telnyx":
        fields = {
            "data": {
                "event_type": "message.received",
                "payload": {
                    "id": id,
                    "from": {"phone_number": other},
                    "to": [{"phone_number": number, "status": "webhook_delivered"}],
                    "text": body,
                    "media": [{"url": each} for each in media],
                },
            }
        }
    elif kind == "plivo":
        fields = {"MessageUUID": id, "From": bare_other, "To": bare_number, "Text": body, "Type": "sms"}
        fields |= {f"Media{place}": each for place, each in enumerate(media)}
    elif kind == "vonage":
        fields = {"messageId": id, "msisdn": bare_other, "to": bare_number, "text": body, "type": "text"}
    elif kind == "bandwidth":
        message = {"id": id, "from": other, "to": [number], "text": body, "media": list(media)}
        fields = [{"type": "message-received", "to": number, "message": message}]
    elif kind == "voipms":
        fields = {"to": bare_number[1:], "from": bare_other[1:], "message": body, "id": id, "media": ",".join(media)}
    else:
        fields = {"data": {"sender": other, "to": number, "message": {"text": body}, "id": id}, "media": list(media)}
    return _signed(kind, address, fields)


def report(kind: str, address: str, *, id: str, state: str, code: str = "") -> Post:
    """What a carrier says of a text: ``state`` is sent, delivered or failed."""
    fields: dict[str, Any] | list[Any]
    if kind in ("twilio", "signalwire"):
        said = {"failed": "undelivered"}.get(state, state)
        fields = {"MessageSid": id, "MessageStatus": said, "From": "+1", "To": "+1"}
        fields |= {"ErrorCode": code} if code else {}
    elif kind == "telnyx":
        status = {"failed": "delivery_failed"}.get(state, state)
        errors = [{"code": code, "title": "Refused"}] if code else []
        payload = {"id": id, "to": [{"phone_number": "+1", "status": status}], "errors": errors}
        fields = {"data": {"event_type": "message.finalized", "payload": payload}}
    elif kind == "plivo":
        fields = {"MessageUUID": id, "Status": {"failed": "undelivered"}.get(state, state)}
        fields |= {"ErrorCode": code} if code else {}
    elif kind == "vonage":
        fields = {"messageId": id, "status": {"sent": "accepted"}.get(state, state), "err-code": code or "0"}
    elif kind == "bandwidth":
        fields = [{"type": f"message-{state}", "message": {"id": id}, "errorCode": code, "description": ""}]
    else:
        fields = {"data": {"id": id}, "status": state}
    return _signed(kind, address, fields)
