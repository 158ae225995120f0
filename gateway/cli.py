"""The ``numberpool`` command."""

import asyncio
import logging
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import asyncpg
import click
import structlog

from gateway import __version__
from gateway.errors import Mendable
from gateway.settings import LogSettings, Settings, load_settings

# The room that each command lives in, as COMMANDS of a module: only the one that is typed is imported.
ROOMS = {
    "announcement": "gateway.calls.policy_commands",
    "attribution": "gateway.attribution.attribution_commands",
    "call-back": "gateway.calls.back_commands",
    "caller": "gateway.calls.commands",
    "collect": "gateway.http.collector.commands",
    "company": "gateway.pools.commands",
    "demo": "gateway.example.commands",
    "destination": "gateway.pools.commands",
    "doctor": "gateway.doctor.commands",
    "flow": "gateway.calls.flow_commands",
    "google-ads": "gateway.http.collector.commands",
    "jobs": "gateway.store.commands",
    "limits": "gateway.calls.policy_commands",
    "login-link": "gateway.http.commands",
    "mail": "gateway.delivery.commands",
    "number": "gateway.pools.commands",
    "pool": "gateway.pools.commands",
    "pools": "gateway.attribution.commands",
    "route": "gateway.calls.flow_commands",
    "program": "gateway.http.collector.commands",
    "reports": "gateway.reports.commands",
    "site": "gateway.site_check.commands",
    "sound": "gateway.calls.sound_commands",
    "source": "gateway.pools.commands",
    "sources": "gateway.visits.commands",
    "spam": "gateway.calls.policy_commands",
    "spend": "gateway.reports.spend_commands",
    "telephone": "gateway.calls.telephone_commands",
    "texts": "gateway.texts.commands",
    "user": "gateway.http.commands",
    "whisper": "gateway.calls.whisper_commands",
}


class _Numberpool(click.Group):
    """Turns what a person can mend into one clear message instead of a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *ROOMS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in ROOMS:
            return super().get_command(ctx, cmd_name)
        commands: tuple[click.Command, ...] = import_module(ROOMS[cmd_name]).COMMANDS
        return next(command for command in commands if command.name == cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Mendable as error:
            raise click.ClickException(str(error)) from None
        except asyncpg.PostgresError as error:
            raise click.ClickException(f"Postgres: {error}") from None
        except BrokenPipeError:  # whoever read has enough (`| head`): click ends quietly
            raise
        except OSError as error:
            raise click.ClickException(f"{error.filename or 'the system'}: {error.strerror or error}") from None


@click.group(cls=_Numberpool, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", type=click.Path(path_type=Path), envvar="NUMBERPOOL_CONFIG", help="The settings file (TOML).")
@click.version_option(__version__)
@click.pass_context
def numberpool(ctx: click.Context, config: Path | None) -> None:
    """Call tracking on your own Asterisk."""
    settings = load_settings(config)
    start_logging(settings.log)
    ctx.obj = settings


@numberpool.command()
@click.pass_obj
def run(settings: Settings) -> None:
    """Run the gateway and the pages, until SIGTERM or Ctrl-C."""
    from gateway.app import run as run_gateway

    asyncio.run(run_gateway(settings))


@numberpool.command()
@click.pass_obj
def migrate(settings: Settings) -> None:
    """Bring the database to the present schema."""
    from gateway.opening import open_database
    from gateway.store.migrate import migrate as bring_forward

    async def work() -> None:
        async with open_database(settings, bring_forward=False) as database:
            applied = await bring_forward(database.dsn)
            for revision in applied:
                click.echo(f"applied {revision}")
            if not applied:
                click.echo("The database is up to date.")

    asyncio.run(work())


@numberpool.group()
def asterisk() -> None:
    """Asterisk's configuration."""


@asterisk.command()
@click.option("--node", help="Which node of the settings; needed where there are several.")
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    default=Path("/etc/asterisk/numberpool"),
    show_default=True,
    help="The folder to write to.",
)
@click.option(
    "--for-folder", type=click.Path(path_type=Path), help="Where Asterisk will read the files, if that is elsewhere."
)
@click.pass_obj
def render(settings: Settings, node: str | None, into: Path, for_folder: Path | None) -> None:
    """Write dialplan, AMI accounts and trunk examples for one Asterisk."""
    from gateway.asterisk.render import old_versions, render_texts, write_files
    from gateway.asterisk.versions import unused_now

    chosen = settings.node(node)
    folder = for_folder or into.absolute()
    texts = render_texts(chosen, settings.calls, folder)
    for done in write_files(texts, into):
        click.echo(f"{done.file}: {done.change.value}" + (f"; the old one is {done.kept}" if done.kept else ""))
    old = old_versions(texts, into)
    unused = asyncio.run(unused_now(chosen, old)) if old else set()
    for version, file in old.items():
        if version in unused:
            file.unlink()
            click.echo(f"{file}: removed, no call is in it")
        else:
            click.echo(f"{file}: stays while calls may be in it; a later render removes it")
    assert chosen.spool is not None
    click.echo(
        "\nIn extensions.conf:  #include " + str(folder / "numberpool-extensions.conf") + "\n"
        "At the end of manager.conf:  #include " + str(folder / "numberpool-manager.conf") + "\n"
        "In features.conf, below [applicationmap]:  #include " + str(folder / "numberpool-features.conf") + "\n"
        f"In pjsip.conf, for each trunk:  context=numberpool-in   (examples of each kind in {folder / 'trunks'})\n"
        f"Folders that Asterisk writes to: {chosen.spool / 'outbox'} and {chosen.spool / 'recordings'}\n"
        "Then:  asterisk -rx 'manager reload' ; asterisk -rx 'dialplan reload' ; "
        "asterisk -rx 'module reload features' ; "
        "asterisk -rx 'module reload res_pjsip.so'"
    )


def start_logging(settings: LogSettings) -> None:
    """Log to standard error: readable lines, or JSON for a log collector."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer()
            if settings.json_lines
            # Never with local variables: passwords and tokens are among them.
            else structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def main() -> None:
    """Entry point of the ``numberpool`` command."""
    numberpool(auto_envvar_prefix="NUMBERPOOL_CLI")
