"""The outbox: one small file a call, written by the dialplan, deleted once the call is in the database.

It is what makes a call survive the death of the gateway, of Postgres and of Asterisk: a line at the start, at the
answer and at the end, each a whole record (gateway.calls.record). A line counts once its last field, an empty
``end``, is there.
"""

from dataclasses import dataclass, field
from pathlib import Path

import structlog

from gateway.calls.record import CallRecord, MalformedRecord, parse_record

# A record is about 800 bytes, a file three of them; what is larger is not ours.
MAX_FILE_BYTES = 64 * 1024
REJECTED = ".rejected"
# How files of texts begin, which are no calls (gateway.texts.over_sip).
TEXT = "text-"
_COMPLETE = "&end="
_log = structlog.get_logger(__name__)


def last_record(text: str) -> CallRecord | None:
    """The newest whole record in an outbox file's text; none where no line is complete yet.

    Raises MalformedRecord where a complete line is no record.
    """
    records = [parse_record(line.removesuffix(_COMPLETE)) for line in text.splitlines() if line.endswith(_COMPLETE)]
    return max(records, key=lambda record: record.stage, default=None)


@dataclass
class Outbox:
    """The outbox folder of one node.

    ``unread()`` gives the records of files that are new or have grown; blocking, so run it in a thread.
    """

    folder: Path
    _seen: dict[str, tuple[int, int]] = field(default_factory=dict)

    def keys(self) -> set[str]:
        """The calls that have a file. Raises OSError where the folder cannot be read."""
        names = (entry.name for entry in self.folder.iterdir())
        return {name for name in names if not name.endswith(REJECTED) and not name.startswith(TEXT)}

    def unread(self, limit: int = 500) -> list[CallRecord]:
        """Records of at most ``limit`` files that changed since they were last read. Raises OSError for the folder."""
        found: list[CallRecord] = []
        present = self.keys()
        for key in list(self._seen):  # the event loop deletes meanwhile
            if key not in present:
                self._seen.pop(key, None)
        for key in sorted(present):
            if len(found) >= limit:
                break
            record = self._read(key)
            if record is not None:
                found.append(record)
        return found

    def forget(self) -> None:
        """Read every file again the next time: what was read of it did not reach the database."""
        self._seen.clear()

    def read(self, key: str) -> CallRecord | None:
        """The newest record of one call, read now; none where it has no file."""
        self._seen.pop(key, None)
        return self._read(key)

    def _read(self, key: str) -> CallRecord | None:
        file = self.folder / key
        try:
            state = file.stat()
            mark = (state.st_mtime_ns, state.st_size)
            if self._seen.get(key) == mark:
                return None
            if state.st_size > MAX_FILE_BYTES:
                raise MalformedRecord(f"{state.st_size} bytes")
            record = last_record(file.read_text(errors="replace"))
            if record is not None and record.key != key:
                raise MalformedRecord(f"speaks of another call, {record.key[:60]!r}")
        except FileNotFoundError:
            return None
        except MalformedRecord as fault:
            self.reject(key, str(fault))
            return None
        except OSError as fault:
            _log.error("an outbox file cannot be read", file=str(file), fault=fault.strerror)
            return None
        self._seen[key] = mark
        return record

    def reject(self, key: str, why: str) -> None:
        """Put a file aside, where a person can look at it, so that it stops nobody. Raises OSError."""
        _log.error("an outbox file is no call record; it was put aside", file=str(self.folder / key), why=why)
        (self.folder / key).rename(self.folder / f"{key}{REJECTED}")
        self._seen.pop(key, None)

    def delete(self, key: str) -> None:
        """Forget a call that is in the database: its end was committed, so nothing is written to its file any more.

        Raises OSError where the file may not be deleted; it is then not read again.
        """
        (self.folder / key).unlink(missing_ok=True)
        self._seen.pop(key, None)
