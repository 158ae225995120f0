"""What is known of a site beside its page."""

from dataclasses import dataclass, field

from gateway.site_check.stored import SiteNamed


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """``wanted`` is the site that the page should be of: the one that was named, else the one whose host it is.

    ``sites`` are those whose keys may be told. ``targets`` are the wanted site's numbers on pages, ``lent`` the numbers
    of pools that lend, ``printed`` those of static ones, all as E.164. ``is_up``: whether the collector answers here,
    at ``collector``; none where that cannot be told.
    """

    url: str
    wanted: SiteNamed | None
    sites: tuple[SiteNamed, ...] = ()
    targets: tuple[str, ...] = ()
    lent: frozenset[str] = field(default_factory=frozenset)
    printed: frozenset[str] = field(default_factory=frozenset)
    region: str = "US"
    is_up: bool | None = None
    collector: str = ""

    def of_key(self, key: str) -> SiteNamed | None:
        """The site of a key."""
        return next((each for each in self.sites if each.key == key), None)
