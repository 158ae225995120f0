"""Mistakes with Postgres, clocks and folders, and what the command prints; all on a real installation."""

import asyncio
import json
import os
import pwd
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from gateway.assets import asset_folder
from gateway.doctor.database import Server, check_server, extensions_needed
from gateway.doctor.database_look import look_at_store
from gateway.doctor.folders import Who, check_spool, user_of_gateway, user_of_port
from gateway.local.postgres import EmbeddedPostgres
from gateway.local.processes import free_port
from gateway.settings import Settings
from gateway.store.migrate import known_revisions
from tests.doctor.clinic import Clinic
from tests.stack import PROJECT


def with_dsn(settings: Settings, dsn: str) -> Settings:
    """The settings with another database."""
    return settings.model_copy(update={"postgres": settings.postgres.model_copy(update={"dsn": SecretStr(dsn)})})


def dsn_of(patient: Clinic) -> str:
    dsn = patient.settings.postgres.dsn
    assert dsn is not None
    return dsn.get_secret_value()


# -- Postgres ---------------------------------------------------------------------------------------------------------


async def test_postgres_does_not_answer(patient: Clinic) -> None:
    """What Asterisk says is looked at all the same."""
    settings = with_dsn(patient.settings, f"postgresql://numberpool@127.0.0.1:{free_port()}/numberpool")
    async with patient.mistake("pjsip.conf", "allow_transfer=no\n", ""):
        found = await patient.says("postgres.no-answer", "trunk.allow-transfer", settings=settings)
    assert "systemctl start postgresql" in found["postgres.no-answer"].mend


async def test_postgres_refuses_us(patient: Clinic) -> None:
    name = dsn_of(patient).partition("?")[0].rpartition("/")[2]
    settings = with_dsn(patient.settings, dsn_of(patient).replace(f"/{name}", "/not_there"))
    found = await patient.says("postgres.refused", settings=settings)
    assert "CREATE DATABASE numberpool OWNER numberpool" in found["postgres.refused"].mend[0]


async def test_a_superuser(patient: Clinic, postgres_server: EmbeddedPostgres) -> None:
    found = await patient.says("postgres.superuser", settings=with_dsn(patient.settings, postgres_server.admin_dsn))
    assert "CREATE ROLE numberpool LOGIN" in found["postgres.superuser"].mend[0]


@asynccontextmanager
async def revision(patient: Clinic, name: str) -> AsyncIterator[None]:
    sql = patient.installation.sql
    await sql("UPDATE alembic_version SET version_num = $1", name)
    try:
        yield
    finally:
        await sql("UPDATE alembic_version SET version_num = $1", known_revisions()[-1])


async def test_a_database_of_an_older_numberpool(patient: Clinic) -> None:
    async with revision(patient, known_revisions()[0]):
        found = await patient.says("postgres.schema")
    assert found["postgres.schema"].mend == ("numberpool migrate",)


async def test_a_database_of_a_newer_numberpool(patient: Clinic) -> None:
    async with revision(patient, "9999_tomorrow"):
        found = await patient.says("postgres.newer")
    assert "pip install --upgrade" in found["postgres.newer"].mend[0]


async def test_a_database_without_tables(patient: Clinic, empty_database_dsn: str) -> None:
    kinds = {each.kind for each in await patient.findings(with_dsn(patient.settings, empty_database_dsn))}
    assert "postgres.schema" in kinds
    assert "postgres.unread" not in kinds


async def test_an_extension_that_postgres_does_not_have(patient: Clinic, tmp_path: Path) -> None:
    """The server is real, the migration that wants the extension is not."""
    store = await look_at_store(patient.settings)
    assert store.server is not None
    versions = tmp_path / "versions"
    versions.mkdir()
    (versions / "0009_shapes.sql").write_text("-- CREATE EXTENSION unwanted\nCREATE EXTENSION IF NOT EXISTS no_such;\n")
    needed = extensions_needed(tmp_path)
    assert needed == {"no_such": "0009_shapes"}
    (found,) = check_server(store.server, needed, known_revisions())
    assert (found.kind, found.where) == ("postgres.extension", "no_such")
    assert "apt-get install postgresql-contrib" in found.mend[0]


async def test_an_extension_that_was_dropped(patient: Clinic, database_dsn: str) -> None:
    connection = await asyncpg.connect(database_dsn)
    try:
        await connection.execute("DROP EXTENSION btree_gist CASCADE")
    finally:
        await connection.close()
    found = {each.kind: each for each in await patient.findings(with_dsn(patient.settings, database_dsn))}
    assert found["postgres.extension"].where == "btree_gist"
    assert "psql -c 'CREATE EXTENSION btree_gist'" in found["postgres.extension"].mend[0]


async def test_an_extension_that_a_later_migration_makes(patient: Clinic) -> None:
    store = await look_at_store(patient.settings)
    assert store.server is not None
    assert store.server.extensions["citext"] is None  # there, and not in this database
    assert check_server(store.server, {"citext": "9999_tomorrow"}, known_revisions()) == []


def test_an_old_postgres() -> None:
    server = Server(140011, "14.11", {}, known_revisions()[-1])
    (found,) = check_server(server, {}, known_revisions())
    assert (found.kind, "14.11" in found.what) == ("postgres.version", True)


async def test_what_our_own_migrations_need_is_there(patient: Clinic) -> None:
    store = await look_at_store(patient.settings)
    assert store.server is not None
    assert check_server(store.server, extensions_needed(asset_folder("migrations")), known_revisions()) == []


async def test_the_embedded_postgres_is_looked_at_as_well(patient: Clinic, short_path: Path) -> None:
    plain = patient.settings.postgres.model_copy(update={"dsn": None})
    store = await look_at_store(patient.settings.model_copy(update={"postgres": plain, "data_folder": short_path}))
    assert store.server is not None
    assert store.server.revision is None
    assert EmbeddedPostgres(short_path / "postgres").pid is None  # it was not running before either


async def test_an_embedded_postgres_that_cannot_be(patient: Clinic, short_path: Path) -> None:
    (short_path / "postgres").write_text("somebody's file")
    plain = patient.settings.postgres.model_copy(update={"dsn": None})
    settings = patient.settings.model_copy(update={"postgres": plain, "data_folder": short_path})
    found = await patient.says("postgres.embedded", settings=settings)
    assert f"ls -ld {short_path}" in found["postgres.embedded"].mend[0]


# -- clocks -----------------------------------------------------------------------------------------------------------


def wrong_by(seconds: float) -> Callable[[], float]:
    return lambda: time.time() + seconds


@pytest.mark.parametrize(("wrong", "said"), [(90.0, "behind"), (-3.0, "ahead of")])
async def test_a_clock_that_is_wrong(patient: Clinic, wrong: float, said: str) -> None:
    found = {each.kind: each for each in await patient.findings(clock=wrong_by(wrong))}
    assert set(found) == {"clock.asterisk", "clock.postgres"}
    for each in found.values():
        assert f"{abs(wrong):.1f} s {said}" in each.what
        assert "timedatectl set-ntp true" in each.mend[0]


# -- folders ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["outbox", "recordings"])
async def test_a_folder_that_is_not_there(patient: Clinic, part: str) -> None:
    folder = patient.installation.spool / part
    aside = folder.with_suffix(".aside")
    folder.rename(aside)
    try:
        found = await patient.says("folder.missing")
    finally:
        aside.rename(folder)
    assert found["folder.missing"].where == str(folder)
    assert found["folder.missing"].mend[0].startswith("install -d -o ")
    assert found["folder.missing"].mend[0].endswith(f"-m 2770 {folder}")


async def test_whom_asterisk_and_the_gateway_run_as(patient: Clinic) -> None:
    listening = user_of_port(patient.installation.pbx.ami_port)
    assert listening is not None
    assert (listening.uid, listening.name) == (os.getuid(), pwd.getpwuid(os.getuid()).pw_name)
    assert user_of_port(free_port()) is None
    assert user_of_gateway(patient.installation.data).uid == os.getuid()


STRANGER = Who(64000, frozenset({64000}), "stranger")
MEMBER = Who(64001, frozenset({64001, os.getgid()}), "member")


def spool(folder: Path, mode: int, *, above: int = 0o755) -> Path:
    """A spool below a folder that anybody may enter, unless ``above`` says otherwise."""
    for part in ("outbox", "recordings"):
        (folder / "spool" / part).mkdir(parents=True)
        (folder / "spool" / part).chmod(mode)
    (folder / "spool").chmod(above)
    folder.chmod(0o755)
    return folder / "spool"


@pytest.mark.parametrize(
    ("asterisk", "gateway", "mode", "above", "kinds", "mend"),
    [
        (MEMBER, MEMBER, 0o2770, 0o755, [], ""),
        (None, MEMBER, 0o2770, 0o755, [], ""),
        (STRANGER, MEMBER, 0o2770, 0o755, ["folder.asterisk"] * 2, "install -d -o stranger -g stranger"),
        (MEMBER, STRANGER, 0o2770, 0o755, ["folder.gateway"] * 2, "usermod -a -G member stranger"),
        (MEMBER, MEMBER, 0o2750, 0o755, ["folder.asterisk", "folder.gateway"] * 2, "usermod -a -G member member"),
        (STRANGER, STRANGER, 0o777, 0o750, ["folder.asterisk", "folder.gateway"] * 2, "chmod o+x"),
    ],
    ids=["a group", "not known", "Asterisk may not", "the gateway may not", "nobody may write", "stopped above"],
)
def test_rights(
    short_path: Path, asterisk: Who | None, gateway: Who, mode: int, above: int, kinds: Sequence[str], mend: str
) -> None:
    found = check_spool(spool(short_path, mode, above=above), asterisk, gateway)
    assert [each.kind for each in found] == kinds
    assert mend in "\n".join(line for each in found for line in each.mend)


def test_files_that_the_gateway_may_not_read(short_path: Path) -> None:
    folder = spool(short_path, 0o2770)
    file = folder / "outbox" / "1700000000.1-123456"
    file.write_text("v=1")
    file.chmod(0o600)
    found = check_spool(folder, MEMBER, MEMBER)
    assert [each.kind for each in found] == ["folder.umask"]
    assert "UMask=" in found[0].mend[0]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
async def test_the_doctor_as_a_user_who_may_do_nothing(patient: Clinic) -> None:
    """What cannot be looked at is a note, or it is what is wrong; nothing falls over."""
    settings = patient.settings
    os.seteuid(64000)
    try:
        found = {each.kind: each for each in await patient.findings(settings)}
    finally:
        os.seteuid(0)
    assert set(found) == {"postgres.no-answer", "folder.gateway", "files.unreadable"}
    assert found["files.unreadable"].mend == ("sudo numberpool doctor",)


# -- the command ------------------------------------------------------------------------------------------------------


async def command(patient: Clinic, *arguments: str) -> tuple[int, str]:
    """``numberpool doctor``, as a process of its own."""
    config = patient.installation.gateway.config
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "--config", str(config), "doctor", *arguments),
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    return process.returncode or 0, (out or errors).decode()


async def test_the_command_where_nothing_is_wrong(patient: Clinic) -> None:
    assert await command(patient) == (0, "Nothing is wrong.\n")
    assert await command(patient, "--json", "--node", "pbx") == (0, "[]\n")


async def test_the_command_where_something_is(patient: Clinic) -> None:
    async with patient.mistake("pjsip.conf", "allow_transfer=no\n", ""):
        await patient.says("trunk.allow-transfer")
        code, said = await command(patient)
        as_json = json.loads((await command(patient, "--json"))[1])
    assert code == 1
    assert said.splitlines() == [
        "Trunks",
        "  ERROR: The trunk trunk has allow_transfer=yes (which is also what it is when nobody says): a caller's REFER "
        "reaches any extension of yours.",
        "      in pjsip.conf, [trunk] type=endpoint:  allow_transfer=no",
        "      asterisk -rx 'module reload res_pjsip.so'",
        "",
        "1 error",
    ]
    assert as_json == [
        {
            "kind": "trunk.allow-transfer",
            "severity": "error",
            "area": "trunks",
            "node": "pbx",
            "where": "trunk",
            "what": as_json[0]["what"],
            "mend": [
                "in pjsip.conf, [trunk] type=endpoint:  allow_transfer=no",
                "asterisk -rx 'module reload res_pjsip.so'",
            ],
        }
    ]


async def test_the_command_with_a_node_that_is_not_there(patient: Clinic) -> None:
    code, said = await command(patient, "--node", "moon")
    assert code == 1
    assert "which Asterisk node?" in said


async def test_two_nodes_are_told_apart(patient: Clinic) -> None:
    settings = patient.settings
    (node,) = settings.nodes
    other = node.model_copy(update={"name": "branch", "port": free_port(), "host": "127.0.0.2", "spool": None})
    found = await patient.findings(settings.model_copy(update={"nodes": (node, other)}))
    assert {(each.kind, each.node) for each in found} == {("ami.no-answer", "branch"), ("settings.render", "branch")}
