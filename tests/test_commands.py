"""The ``numberpool`` command: every room's commands can be typed."""

from importlib import import_module

import click
import pytest

from gateway.cli import ROOMS, numberpool


@pytest.mark.parametrize("module", sorted(set(ROOMS.values())))
def test_the_commands_of_a_room_are_all_there(module: str) -> None:
    names = {command.name for command in import_module(module).COMMANDS}
    assert names == {name for name, room in ROOMS.items() if room == module}


def test_each_says_what_it_is_for() -> None:
    context = click.Context(numberpool)
    for name in numberpool.list_commands(context):
        command = numberpool.get_command(context, name)
        assert command is not None
        assert command.get_short_help_str()


def test_what_is_no_command_is_none() -> None:
    assert numberpool.get_command(click.Context(numberpool), "nonsense") is None
