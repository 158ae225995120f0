"""What the collector is given, and the typed keys under which its requests carry it."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from aiohttp import web

from gateway.http.collector.catalog import Catalog
from gateway.http.collector.limits import Buckets
from gateway.http.collector.reception import Reception
from gateway.http.collector.tokens import TokenBearer
from gateway.leads.lead import Lead
from gateway.pools.keep_alive import KeepAlives
from gateway.settings import CollectorSettings
from gateway.store.database import Database
from gateway.store.inbox import Inbox
from gateway.texts.text import Inbound, Report
from gateway.visits.journal import Journal
from gateway.visits.ways import Ways


@dataclass(frozen=True, slots=True)
class CollectorParts:
    """What a worker's requests work with; whoever opened it closes it."""

    database: Database
    settings: CollectorSettings
    catalog: Catalog
    reception: Reception
    keep_alives: KeepAlives
    journal: Journal
    leads: Inbox[Lead, UUID]
    ways: Ways
    visits_of_address: Buckets[tuple[int, str]]
    signals_of_address: Buckets[tuple[int, str]]
    visits_of_site: Buckets[int]
    leads_of_address: Buckets[tuple[int, str]]
    leads_of_site: Buckets[int]
    leads_of_program: Buckets[int]
    texts: Inbox[Inbound | Report, None]
    texts_of_account: Buckets[int]
    texts_refused: dict[int, datetime] = field(default_factory=dict)  # when the settings page was last told


COLLECTOR = web.AppKey("COLLECTOR", CollectorParts)
# Whom the token of a program speaks for.
BEARER: web.RequestKey[TokenBearer] = web.RequestKey("BEARER")
