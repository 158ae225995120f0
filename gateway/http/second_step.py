"""The second step of signing in: a code that an app on one's telephone shows (TOTP, RFC 6238), or a recovery code."""

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path

import pyotp
import segno
import structlog
from aiohttp import web

from gateway.http.keys import PARTS
from gateway.http.sealing import NoUsableKey, Seal, seal_what_is_open
from gateway.store.database import AWAY, Connection, Database
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "second_step.sql")
_log = structlog.get_logger(__name__)

ISSUER = "Numberpool"
STEP_SECONDS = 30
# Clocks of telephones are a little off: the code before and the one after are good as well (RFC 6238, section 5.2).
_NEIGHBOURS = 1
RECOVERY_CODES = 10
_RECOVERY_BYTES = 10
_GROUP = 4


class Shown(Enum):
    """What somebody has shown as his second step."""

    NOTHING = "nothing"
    CODE = "code"
    RECOVERY_CODE = "recovery code"


@dataclass(frozen=True, slots=True)
class SecondStep:
    """How it stands with somebody's second step."""

    since: datetime | None  # none: only the password is asked for
    codes_left: int
    is_readable: bool = True  # no where the key of its secret is lost: only recovery codes are good then


@dataclass(frozen=True, slots=True)
class Proposal:
    """A secret to be put into an app: as a picture to be scanned, and as text to be typed."""

    svg: str
    secret: str


async def second_step_of(database: Database, seal: Seal, user_id: int) -> SecondStep:
    """Whether it is on, and how many recovery codes are left."""
    async with database.everything() as connection:
        row = await _queries.second_step_of(connection, user_id=user_id)
    secret = row["totp_secret"]
    is_readable = secret is None or seal.open(user_id, secret) is not None
    return SecondStep(row["totp_since"], row["codes_left"], is_readable)


async def propose(database: Database, seal: Seal, user_id: int, email: str) -> Proposal | None:
    """The secret that is to be confirmed by a code; none where the second step is on already. Raises NoUsableKey."""
    async with database.everything() as connection:
        fresh = seal.close(user_id, pyotp.random_base32())
        sealed = await _queries.propose_secret(connection, user_id=user_id, secret=fresh, anew=False)
        if sealed is None:
            return None
        secret = seal.open(user_id, sealed)
        if secret is None:  # proposed under a key that is lost
            sealed = await _queries.propose_secret(connection, user_id=user_id, secret=fresh, anew=True)
            secret = seal.open(user_id, sealed) or ""
    address = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)
    picture = segno.make(address, error="m", micro=False)
    # Dark on light also where the page is dark: not every app reads the reverse.
    svg = picture.svg_inline(scale=1, border=3, dark="#000", light="#fff", omitsize=True)
    return Proposal(svg, " ".join(secret[i : i + _GROUP] for i in range(0, len(secret), _GROUP)))


async def turn_on(connection: Connection, seal: Seal, user_id: int, code: str) -> list[str] | None:
    """Ask for codes from now on, if this is one of the proposed secret; the recovery codes, or none."""
    row = await _queries.second_step_of(connection, user_id=user_id)
    if row["totp_secret"] is None or row["totp_since"] is not None:
        return None
    if not await _is_code(connection, user_id, seal.open(user_id, row["totp_secret"]), code):
        return None
    if await _queries.turn_on(connection, user_id=user_id) is None:
        return None
    return await renew_recovery_codes(connection, user_id)


async def turn_off(connection: Connection, user_id: int) -> bool:
    """Ask for no codes any more; whether they were asked for until now."""
    return await _queries.turn_off(connection, user_id=user_id) is not None


async def renew_recovery_codes(connection: Connection, user_id: int) -> list[str]:
    """New recovery codes in place of the old ones; shown this once."""
    codes = [base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)]
    await _queries.forget_recovery_codes(connection, user_id=user_id)
    for code in codes:
        await _queries.insert_recovery_code(connection, user_id=user_id, code_hash=_hash(code))
    return ["-".join(code[i : i + _GROUP] for i in range(0, len(code), _GROUP)) for code in codes]


async def show(connection: Connection, seal: Seal, user_id: int, code: str) -> Shown:
    """Whether this is a code that is good now, or a recovery code; either is used up by it."""
    row = await _queries.second_step_of(connection, user_id=user_id)
    if row is None or row["totp_since"] is None:
        return Shown.NOTHING
    plain = re.sub(r"[\s-]", "", code)[:40]
    if await _is_code(connection, user_id, seal.open(user_id, row["totp_secret"]), plain):
        return Shown.CODE
    used = await _queries.use_recovery_code(connection, user_id=user_id, code_hash=_hash(plain.lower()))
    return Shown.RECOVERY_CODE if used is not None else Shown.NOTHING


async def sealed_at_start(app: web.Application) -> AsyncIterator[None]:
    """Seal what an earlier version left in the clear. The pages start without it as well: calls need none of this."""
    parts = app[PARTS]
    try:
        sealed = await seal_what_is_open(parts.database, parts.seal)
    except AWAY as fault:
        _log.error("second_step.not_sealed", reason=str(fault) or type(fault).__name__)
    except NoUsableKey as fault:
        _log.error("second_step.not_sealed", reason=str(fault))
    else:
        if sealed:
            _log.info("second_step.sealed", secrets=sealed, key=str(parts.seal.file))
    yield


async def _is_code(connection: Connection, user_id: int, secret: str | None, code: str) -> bool:
    if secret is None:  # its key is lost
        return False
    plain = re.sub(r"[\s-]", "", code)[:40].encode("utf-8", "surrogatepass")
    totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
    now = int(time.time()) // STEP_SECONDS
    found: int | None = None
    for step in range(now - _NEIGHBOURS, now + _NEIGHBOURS + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), plain):
            found = step
    if found is None:
        return False
    return await _queries.use_step(connection, user_id=user_id, step=found) is not None


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()
