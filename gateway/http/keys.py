"""The parts that the pages are given, and the typed keys under which every request carries them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.health import Health
from gateway.http.sealing import Seal
from gateway.settings import Settings
from gateway.store.database import Database
from gateway.store.notify import Listener

if TYPE_CHECKING:
    from gateway.http.accounts import Viewer


@dataclass(frozen=True, slots=True)
class PagesParts:
    """What the pages need from the rest of the gateway; whoever opened it closes it."""

    database: Database
    settings: Settings
    health: Health
    listener: Listener

    @property
    def seal(self) -> Seal:
        """What seals the secrets of second steps."""
        return Seal(self.settings.data_folder)


PARTS = web.AppKey("PARTS", PagesParts)

VIEWER: web.RequestKey["Viewer"] = web.RequestKey("VIEWER")
# The companies in which the viewer holds the permission that the route names.
ALLOWED: web.RequestKey[tuple[int, ...]] = web.RequestKey("ALLOWED")
