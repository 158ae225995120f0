"""The form of an account with a carrier: its name, what the carrier wants to be told, and secrets that stay unseen."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from gateway.http.forms import Form
from gateway.http.words import Words
from gateway.texts.carriers.shape import Account, Carrier
from gateway.texts.text import is_web_address

LONGEST_NAME = 60
_LONGEST_VALUE = 400


def field_name(name: str) -> str:
    """What a carrier's field is called in the form."""
    return f"carrier-{name}"


def values_of(words: Words, carrier: Carrier, account: Account | None) -> dict[str, Any]:
    """What the form shows at first; never a secret."""
    shown = {
        field_name(each.name): account.said(each.name, each.usual) if account else each.usual
        for each in carrier.fields
        if not each.is_secret
    }
    return {"name": account.name if account else words.say(carrier.name), **shown}


def read_account(
    form: Form, words: Words, carrier: Carrier, account: Account | None
) -> tuple[str, dict[str, str], dict[str, str]]:
    """Name, what may be seen, and the secrets that were typed; those left empty stay as they are."""
    name = " ".join(form.text("name", longest=LONGEST_NAME).split())
    seen: dict[str, str] = {}
    secret: dict[str, str] = {}
    kept: Mapping[str, str] = account.secrets if account else {}
    for each in carrier.fields:
        field = field_name(each.name)
        needed = each.required and not (each.is_secret and each.name in kept)
        value = form.text(field, longest=_LONGEST_VALUE, required=needed)
        if not value:
            continue
        if each.is_address and not _is_public_address(value):
            form.refuse(field, words.say("An address that begins with https://, please."))
        (secret if each.is_secret else seen)[each.name] = value
    if account is not None and "api" in account.plain:  # set by a command
        seen["api"] = account.plain["api"]
    return name, seen, secret


def _is_public_address(address: str) -> bool:
    """Over TLS: what texts say, and the key that sends them, is nobody else's business."""
    return is_web_address(address) and urlsplit(address).scheme == "https"
