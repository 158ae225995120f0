"""What the collector knows of sites, in memory: read at the start, and again whenever settings change."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from gateway.http.collector.tokens import TokenBearer, bearers
from gateway.pools.numbers import NumberError, forms, to_e164
from gateway.pools.offer import load_offer
from gateway.pools.pool import Kind, Offer, Pool, Site, SwapTarget
from gateway.store.database import AWAY, Database
from gateway.store.notify import Listener
from gateway.texts import accounts
from gateway.texts.carriers.shape import Account
from gateway.visits.classify import Classifier
from gateway.visits.rule_store import StoredRules, newest_rules, rules_of_default
from gateway.visits.source import Decision

# Notifications bring changes at once; this only mends what a lost one would leave, and ends rests of static numbers.
READ_SECONDS = 60.0
# How many visitors' touches a site remembers.
_REMEMBERED = 4096
# As browsers write it, with nothing that would be read otherwise.
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+/")

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class SiteKnown:
    """A site, and what is made ready for its visits."""

    site: Site
    rules: StoredRules
    classifier: Classifier
    pools: Mapping[int, Pool]
    targets: Mapping[str, SwapTarget]  # by every form in which a page may print it, digits and + alone
    origins: set[tuple[str, str]] = field(default_factory=set)  # that were found to be its own, with our host
    _decisions: dict[tuple[str, str], Decision] = field(default_factory=dict)

    def targets_of(self, printed: Sequence[str] | None) -> tuple[SwapTarget, ...]:
        """The swap targets among numbers as a page prints them; all, where the page does not say."""
        if printed is None:
            return self.site.targets
        found = (self.targets.get("".join(letter for letter in text if letter in _DIALLED)) for text in printed)
        return tuple(dict.fromkeys(target for target in found if target is not None))

    def decide(self, url: str, referrer: str) -> Decision:
        """What brought a visit. Pages within one host, without parameters, are alike; a touch is asked for again."""
        if "=" in url:
            return self.remembered(url, referrer)
        if not self.classifier.names_hosts:
            origin = _ORIGIN.match(url)
            if origin is not None and referrer.startswith(origin[0]):
                return self.remembered(origin[0], origin[0])
        return self.classifier.decide(url, referrer)

    def remembered(self, url: str, referrer: str) -> Decision:
        """What brought a visitor before. His next pages say the same, so it is not decided each time."""
        key = url, referrer
        decision = self._decisions.get(key)
        if decision is None:
            decision = self.classifier.decide(url, referrer)
            if len(self._decisions) >= _REMEMBERED:
                del self._decisions[next(iter(self._decisions))]
            self._decisions[key] = decision
        return decision

    def as_e164(self, printed: str) -> str:
        """A number as a page prints or dials it, as E.164; empty where it is none.

        Of another country's number a link may have lost its ``+``.
        """
        text = printed.removeprefix("tel:").strip()
        for form in (text, f"+{text}" if text.isdigit() else ""):
            try:
                return to_e164(form, self.site.region)
            except NumberError:
                pass
        return ""

    def is_own(self, host: str) -> bool:
        """Whether a host is the site's, or below one of its hosts."""
        return any(host == own or host.endswith(f".{own}") for own in self.site.hosts)


_DIALLED = frozenset("+0123456789")


@dataclass(slots=True)
class Catalog:
    """All sites, pools, rules and tokens. ``offer`` is for visitors who may be known again, ``reserved`` for others.

    What is reserved holds static numbers, and pools that lend a number to a campaign and not to a visitor.
    """

    offer: Offer = field(default_factory=Offer)
    reserved: Offer = field(default_factory=Offer)
    tokens: Mapping[bytes, TokenBearer] = field(default_factory=dict)
    rules: dict[int, StoredRules] = field(default_factory=dict)
    text_accounts: Mapping[str, Account] = field(default_factory=dict)  # by the token in their addresses
    _known: dict[str, SiteKnown] = field(default_factory=dict)

    def site(self, public_key: str) -> SiteKnown | None:
        """The site of a public key, made ready when it is first asked for; none: there is no such site."""
        known = self._known.get(public_key)
        if known is None:
            site = self.offer.sites.get(public_key)
            if site is None:
                return None
            known = self._known[public_key] = self._ready(site)
        return known

    async def load(self, database: Database) -> None:
        """Read everything again. Raises what the database raises."""
        async with database.everything() as connection:
            offer = await load_offer(connection)
            rules = await newest_rules(connection, self.rules)
            tokens = await bearers(connection)
            self.text_accounts = await accounts.by_token(connection)
        before, self._known = self._known, {}
        self.offer, self.rules, self.tokens = offer, rules, tokens
        self.reserved = replace(
            offer,
            pools={
                company: tuple(pool for pool in pools if pool.kind is Kind.STATIC or pool.bound_to)
                for company, pools in offer.pools.items()
            },
        )
        for key, known in before.items():
            site = offer.sites.get(key)
            if site == known.site and self._rules_of(known.site) == known.rules:
                # Classifying goes on with what it remembers.
                known.pools = {pool.id: pool for pool in offer.pools.get(known.site.company_id, ())}
                self._known[key] = known

    async def keep(self, database: Database, listener: Listener) -> None:
        """Read again whenever settings change, until cancelled."""
        async with listener.subscribe("numberpool_settings") as changes:
            following = aiter(changes)
            while True:
                try:
                    async with asyncio.timeout(READ_SECONDS):
                        await anext(following)
                except TimeoutError:
                    pass
                try:
                    await self.load(database)
                except AWAY as error:
                    _log.warning("sites cannot be read; the last known ones serve", fault=str(error))

    def _rules_of(self, site: Site) -> StoredRules:
        return self.rules.get(site.company_id) or rules_of_default()

    def _ready(self, site: Site) -> SiteKnown:
        rules = self._rules_of(site)
        targets: dict[str, SwapTarget] = {}
        for target in site.targets:
            for form in forms(target.e164, site.region):
                targets.setdefault(form, target)
        return SiteKnown(
            site,
            rules,
            Classifier(rules.rule_set.with_own_domains(*site.hosts, *site.payment_hosts)),
            {pool.id: pool for pool in self.offer.pools.get(site.company_id, ())},
            targets,
        )
