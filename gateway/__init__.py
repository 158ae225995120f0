"""Numberpool: self-hosted call tracking on a company's own Asterisk.

A folder here is a subject: ``asterisk`` (the link to the PBX), ``calls`` (the decision, the life of a
call, recordings), ``pools`` (numbers and where they lead), ``http`` (the pages), ``store`` (Postgres),
``local`` (everything a demo or a test needs on one machine). ``app.py`` puts the parts together.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("numberpool")
except PackageNotFoundError:  # run from a checkout that was not installed
    __version__ = "0.1.0"
