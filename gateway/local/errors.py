"""What can go wrong while a machine is prepared.

LocalError
 ├─ FetchError          a program could not be fetched; says which command mends it
 ├─ ProcessDied         a program of ours ended before it was ready
 └─ DataFolderError     the folder of the embedded Postgres cannot be used as it is
"""

from gateway.errors import Mendable


class LocalError(Mendable):
    """Something on this machine keeps a local part from starting; the message says the mend."""


class FetchError(LocalError):
    """A program could not be fetched."""


class ProcessDied(LocalError):
    """A program ended before it was ready."""


class DataFolderError(LocalError):
    """The data folder of the embedded Postgres cannot be used as it is."""
