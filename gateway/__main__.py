"""``python -m gateway`` is the ``numberpool`` command."""

from gateway.cli import main

main()
