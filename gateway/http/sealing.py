"""Secrets of second steps, sealed before they go into the database: a copy of the database alone shows no codes.

The key lies in the data folder, in a file of its own that only its owner may read, made when it is first needed. What
is sealed names the key and is bound to its user: it opens for nobody else. AES-256-GCM (NIST SP 800-38D), a fresh nonce
each. Where the key is lost nothing opens any more: recovery codes sign in, and the second step is turned on anew.
"""

import base64
import hashlib
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import Mendable
from gateway.store.database import Database
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "second_step.sql")

KEY_FILE = "second-step.key"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_NAME_DIGITS = 16
# What is sealed reads "1:<key>:<nonce and text>"; a secret in the clear is base32, which has no colon.
_FORM = "1"


class NoUsableKey(Mendable):
    """The key of the second steps is not what it was: the message says which file, and how to mend it."""


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals with the key of a data folder. The file is read each time: a key that was put back is good at once."""

    data_folder: Path

    @property
    def file(self) -> Path:
        """Where the key lies, or will."""
        return self.data_folder / KEY_FILE

    def key(self) -> bytes | None:
        """The key; none where there is no such file. Raises NoUsableKey where it cannot be read, or is none."""
        try:
            key = self.file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as fault:
            raise NoUsableKey(
                f"{self.file} cannot be read ({fault.strerror}); it must belong to the user that Numberpool runs as, "
                "with mode 600"
            ) from None
        if len(key) != _KEY_BYTES:
            raise NoUsableKey(
                f"{self.file} holds no key ({len(key)} bytes instead of {_KEY_BYTES}); put it back from a backup, or "
                "move it away: a new one is made, and second steps are turned on anew"
            )
        return key

    def close(self, user_id: int, text: str) -> str:
        """Seal a secret of a user; makes the key where there is none yet. Raises NoUsableKey."""
        key = self.key() or self._made()
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(key).encrypt(nonce, text.encode(), str(user_id).encode())
        return f"{_FORM}:{key_name(key)}:{base64.b64encode(nonce + sealed).decode()}"

    def open(self, user_id: int, sealed: str) -> str | None:
        """The secret; none where it was sealed with a key that is not here any more, or is another user's."""
        if ":" not in sealed:  # of a version that sealed nothing, until the gateway has started once
            return sealed
        try:
            key = self.key()
        except NoUsableKey:
            return None
        form, name, text = sealed.split(":", 2)
        if key is None or form != _FORM or name != key_name(key):
            return None
        data = base64.b64decode(text)
        try:
            return AESGCM(key).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], str(user_id).encode()).decode()
        except InvalidTag:
            return None

    def _made(self) -> bytes:
        """A new key, whole in its file or not at all; of two that are made at once, the first one counts."""
        fresh = self.file.with_suffix(f".{secrets.token_hex(4)}")
        try:
            self.data_folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
            with os.fdopen(handle, "wb") as out:
                out.write(secrets.token_bytes(_KEY_BYTES))
                out.flush()
                os.fsync(handle)
            try:
                os.link(fresh, self.file)
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        except OSError as fault:
            raise NoUsableKey(
                f"{self.file} cannot be written ({fault.strerror}); second steps need a key there: make room, or let "
                "the folder belong to the user that Numberpool runs as"
            ) from None
        key = self.key()
        assert key is not None
        return key


def key_name(key: bytes) -> str:
    """What tells one key from another and says nothing about it."""
    return hashlib.sha256(b"numberpool second step " + key).hexdigest()[:_NAME_DIGITS]


async def seal_what_is_open(database: Database, seal: Seal) -> int:
    """Seal the secrets that a version before this one left in the clear; how many there were. Raises NoUsableKey."""
    async with database.everything() as connection:
        rows = [row async for row in _queries.secrets_in_the_clear(connection)]
        for row in rows:
            sealed = seal.close(row["id"], row["totp_secret"])
            await _queries.seal_secret(connection, user_id=row["id"], sealed=sealed)
    return len(rows)
