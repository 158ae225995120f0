"""How findings are said: for each kind what is, and what to do about it. The pages translate both."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from gateway.site_check.findings import Area, Finding, Report


def N_(text: str) -> str:
    """Marks a text for the catalogues; it is translated where it is said."""
    return text


class Said(NamedTuple):
    """What is, and the mend; the mend is empty where nothing is to be done."""

    what: str
    mend: str = ""


AREAS: dict[Area, str] = {
    Area.PAGE: N_("The page"),
    Area.SNIPPET: N_("The snippet"),
    Area.COLLECTOR: N_("The collector"),
    Area.NUMBERS: N_("The numbers"),
    Area.CONSENT: N_("Consent"),
    Area.MEMORY: N_("How visitors are remembered"),
}

# In which forms a number was found, by the names of the facts that count them.
_PLACES: dict[str, str] = {
    "texts": N_("%(count)s × in text"),
    "links": N_("%(count)s × in links"),
    "attributes": N_("%(count)s × in attributes"),
    "shadows": N_("%(count)s × inside components"),
}

# What a check is doing, one after the other.
STEPS: dict[str, str] = {
    "waits": N_("Waiting for its turn"),
    "browser": N_("Starting a browser"),
    "advertised": N_("Opening the page as a visitor who comes by an advertisement"),
    "direct": N_("Opening the page as a visitor who comes directly"),
    "judging": N_("Putting together what was seen"),
}

SENTENCES: dict[str, Said] = {
    # -- the page ------------------------------------------------------------------------------------------------------
    "page.opened": Said(N_("The page opens: %(url)s")),
    "page.redirected": Said(N_("%(url)s leads on to %(final)s, and that page was looked at.")),
    "page.redirected_away": Said(
        N_("%(url)s leads on to %(final)s, which is on a host that is not this site's."),
        N_("Check a page of the site itself; or, if that host is the site's as well, add it to the site's hosts."),
    ),
    "page.query_lost": Said(
        N_("On the way to %(final)s the address loses what an advertisement writes behind it (gclid, utm_source)."),
        N_(
            "Have the redirect keep the query of the address, or let advertisements lead to the last address directly. "
            "Otherwise a visit by an advertisement looks like one from nowhere."
        ),
    ),
    "page.not_found": Said(
        N_("The site has no page at this address (it answers %(status)s)."),
        N_("Copy the address from the browser's address bar; it may have been moved."),
    ),
    "page.broken": Said(
        N_("The site answers with a fault of its own (%(status)s)."),
        N_("Ask whoever looks after the site; the snippet cannot be looked at until the page opens."),
    ),
    "page.refused": Said(
        N_("The site does not let the check in (it answers %(status)s)."),
        N_(
            "If the page needs a password, check one that everybody may open. If a firewall or protection "
            "against robots "
            "stands before the site, let browsers pass whose user agent holds the word NumberpoolCheck."
        ),
    ),
    "page.challenge": Said(
        N_("Protection against robots stands before the page, and asks the check to prove that it is human."),
        N_("Let browsers pass there whose user agent holds the word NumberpoolCheck, and check again."),
    ),
    "page.sign_in": Said(
        N_("The page asks for a password, so what is behind it was not seen."),
        N_("Check a page that everybody may open."),
    ),
    "page.unknown_name": Said(
        N_("There is no server by the name %(host)s."),
        N_("Look at the spelling; or, if the name is new, wait until the name servers know it."),
    ),
    "page.connection_refused": Said(
        N_("%(host)s is there, but does not answer at this address (the connection is refused)."),
        N_("Is the site's web server running, and does it listen on that port? Is it http or https?"),
    ),
    "page.silent": Said(
        N_("%(host)s does not answer at all."),
        N_("Is the server running? Does a firewall let this machine through to it?"),
    ),
    "page.private": Said(
        N_("%(host)s stands on a private address, and pages are looked at only in the public network."),
        N_(
            "On the machine where Numberpool runs, type: numberpool site check %(url)s. Or allow it for the pages: "
            "private_addresses = true under [site_check] in the settings."
        ),
    ),
    "page.bad_certificate": Said(
        N_("The browser does not trust the site's certificate (%(fault)s), so visitors see a warning instead of it."),
        N_("Renew the certificate, or have the web server send the whole chain; it must name this very host."),
    ),
    "page.no_answer": Said(
        N_("The page does not open: the browser says %(fault)s."),
        N_("Open it in a browser of your own, and ask whoever looks after the site."),
    ),
    "page.slow": Said(
        N_("The page had not finished loading after %(seconds)s seconds; it was looked at as it was then."),
        N_("Whatever takes so long may also hold the snippet back: put its tag into the head, with async."),
    ),
    "page.no_page": Said(
        N_("At this address is no page but a file (%(mime)s)."),
        N_("Check the address of a page."),
    ),
    # -- the snippet ---------------------------------------------------------------------------------------------------
    "script.found": Said(N_("The snippet is in the page, from %(address)s")),
    "script.inline_found": Said(N_("The inline variant is in the page: known visitors see their number at once.")),
    "script.missing": Said(
        N_("The snippet is not in the page."),
        N_("Put this tag into the head of every page: %(tag)s"),
    ),
    "script.by_tag_manager": Said(
        N_("The snippet is brought by %(manager)s."),
        N_(
            "That works, but later than a tag in the page itself, and not where visitors block such managers. "
            "If you can, put the tag into the head of the pages."
        ),
    ),
    "script.by_script": Said(N_("The snippet is put into the page by another script: %(address)s")),
    "script.twice": Said(
        N_("The snippet is in the page %(count)s times; only the first one works."),
        N_("Take the others out: look into the theme, plug-ins and the tag manager."),
    ),
    "script.two_keys": Said(
        N_("The snippet is in the page with several keys (%(keys)s); only the first one works."),
        N_("Leave only the tag with the key of this site."),
    ),
    "script.policy": Said(
        N_("The page's Content-Security-Policy forbids the snippet (%(directive)s)."),
        N_(
            "Add %(origin)s to script-src of that policy, or give the tag the nonce that the page's other scripts have."
        ),
    ),
    "script.inline_policy": Said(
        N_("The page's Content-Security-Policy forbids the inline variant (%(directive)s)."),
        N_(
            "Add the hash that stands beside the inline variant on the site's page to script-src, or give it the nonce."
        ),
    ),
    "script.mixed": Said(
        N_("The page comes over https and the snippet over http, so browsers refuse the snippet."),
        N_("Write https:// into the tag: %(address)s"),
    ),
    "script.refused_here": Said(
        N_("The browser itself refused to load %(address)s (%(fault)s), as an ad blocker would."),
        N_(
            "Let the site's own web server pass /np/ on to the collector: what comes from the site itself is not "
            "refused."
        ),
    ),
    "script.not_passed_on": Said(
        N_("%(address)s is not there: the web server answers %(status)s."),
        N_(
            "The web server must pass /np/ on to the collector; the site's page has what to write for nginx and Caddy. "
            "Or correct the address in the tag."
        ),
    ),
    "script.prefix_kept": Said(
        N_("%(address)s reaches the collector, but under an address that the collector does not know."),
        N_(
            "The web server must cut /np/ off before it passes the request on: in nginx with a / at the end of "
            "proxy_pass, in Caddy with handle_path."
        ),
    ),
    "script.gateway": Said(
        N_("%(address)s is passed on, but the web server does not reach the collector (it answers %(status)s)."),
        N_(
            "Look at the address in the web server's proxy_pass or reverse_proxy, and whether the collector runs there."
        ),
    ),
    "script.not_a_script": Said(
        N_("%(address)s answers with a page and not with a script."),
        N_(
            "The web server sends the site's own pages for /np/; that part must come before them and go to the "
            "collector."
        ),
    ),
    "script.unknown_name": Said(
        N_("The snippet's host %(host)s is unknown: there is no server by that name."),
        N_("Add the name to your domain's name servers, or correct the address in the tag."),
    ),
    "script.connection_refused": Said(
        N_("The snippet's host %(host)s refuses connections."),
        N_("Does the web server run there, and listen on that port?"),
    ),
    "script.silent": Said(
        N_("The snippet's host %(host)s does not answer."),
        N_("Does the server run, and does its firewall let visitors through?"),
    ),
    "script.bad_certificate": Said(
        N_("The browser does not trust the certificate of the snippet's host %(host)s (%(fault)s)."),
        N_("Renew the certificate; it must name this very host."),
    ),
    "script.failed": Said(
        N_("The snippet could not be loaded from %(address)s (%(fault)s)."),
        N_("Open that address in a browser of your own: a script must come."),
    ),
    "script.held_for_consent": Said(
        N_("The tag is held back until the visitor agrees to cookies (%(mark)s), so nothing is swapped before that."),
        N_(
            'Let it run at once, and write data-consent="required" into the tag: it then keeps nothing, shows static '
            "numbers only, and waits for the yes itself."
        ),
    ),
    "script.held_back": Said(
        N_("The tag stands in the page but is not run (%(mark)s)."),
        N_("Something changed it: a plug-in that speeds pages up, or one for consent. Except np.js from it."),
    ),
    "script.no_key": Said(
        N_("The snippet's tag carries no key, so it does nothing."),
        N_("Copy the tag anew from the site's page; tag managers take data- attributes away, but keep np.js?site=KEY."),
    ),
    "script.not_started": Said(
        N_("The snippet was loaded, but does not start."),
        N_("Look into the browser's console on that page: another script may have taken the name numberpool."),
    ),
    "script.kept_long": Said(
        N_("Browsers keep np.js for %(days)s days, so an update reaches visitors only after that."),
        N_(
            "Have the web server leave Cache-Control of np.js as the collector sends it (ten minutes, asked for "
            "behind)."
        ),
    ),
    "optimiser.late": Said(
        N_(
            "The snippet starts only when the visitor moves or touches something; until then the page's own "
            "number shows."
        ),
        N_("Something on the site delays scripts until then. Except np.js from it."),
    ),
    "optimiser.wp_rocket": Said(
        N_("WP Rocket delays the snippet until the visitor moves; until then the page's own number shows."),
        N_(
            'WordPress, WP Rocket, File Optimization, "Delay JavaScript execution": write np.js under Excluded, '
            "clear the cache."
        ),
    ),
    "optimiser.rocket_loader": Said(
        N_("Cloudflare's Rocket Loader rewrites the snippet's tag and runs it late."),
        N_('Write data-cfasync="false" into the tag, before src; or switch Rocket Loader off for these pages.'),
    ),
    "optimiser.litespeed": Said(
        N_("LiteSpeed Cache delays the snippet."),
        N_(
            "LiteSpeed Cache, Page Optimization, Tuning: write np.js under JS Excludes and JS Deferred Excludes, "
            "then purge."
        ),
    ),
    "optimiser.autoptimize": Said(
        N_("Autoptimize has put the snippet among its own scripts."),
        N_("Autoptimize, JavaScript options: write np.js under Exclude scripts, then empty its cache."),
    ),
    "optimiser.flying_scripts": Said(
        N_("Flying Scripts delays the snippet until the visitor moves or some seconds have passed."),
        N_("Settings, Flying Scripts: take np.js (or numberpool) out of the keywords."),
    ),
    "optimiser.perfmatters": Said(
        N_("Perfmatters delays the snippet until the visitor moves."),
        N_("Perfmatters, Assets, JavaScript, Delay JavaScript: write np.js under Excluded from Delay."),
    ),
    "optimiser.nitropack": Said(
        N_("NitroPack delays the snippet until the visitor moves."),
        N_('Write nitro-exclude into the tag (<script nitro-exclude async src="…">), then purge NitroPack\'s cache.'),
    ),
    "key.right": Said(N_("The key is that of %(site)s (%(company)s).")),
    "key.unknown": Said(
        N_("The key %(key)s is no site's here."),
        N_("Copy the tag anew from the site's page; numberpool site list shows all keys."),
    ),
    "key.of_another": Said(
        N_("The key %(key)s is that of %(site)s (%(company)s), not of %(wanted)s."),
        N_("Copy the tag of %(wanted)s into this page; visits are counted for the wrong site as long as it is not."),
    ),
    "host.own": Said(N_("The page's host %(host)s is one of the site's.")),
    "host.refused": Said(
        N_("The page's host %(host)s is not one of the site's, so the collector refuses its visits."),
        N_(
            "If it is the site's, add it to the hosts on the site's page, or type: numberpool site set %(site)s "
            "--host %(host)s"
        ),
    ),
    "host.unlisted": Said(
        N_("The page's host %(host)s is not among the site's hosts; it works because the site itself passes /np/ on."),
        N_("Add it all the same: otherwise coming from one page of the site to another counts as a new visit."),
    ),
    "worker.there": Said(N_("The site has a service worker (%(script)s); it leaves the snippet alone.")),
    "worker.answers": Said(
        N_("The site's service worker (%(script)s) answers for the snippet, and may give visitors old answers."),
        N_("Have its fetch handler leave addresses under /np/ alone: return before respondWith."),
    ),
    # -- the collector -------------------------------------------------------------------------------------------------
    "collector.answered": Said(N_("The collector answered after %(milliseconds)s ms.")),
    "collector.slow": Said(
        N_("The collector answered after %(milliseconds)s ms; until then visitors see the page's own number."),
        N_("Is its machine busy or far away? The doctor looks at its side: numberpool doctor"),
    ),
    "collector.not_asked": Said(
        N_("The snippet runs, but asks for no numbers."),
        N_("Look into the browser's console on that page."),
    ),
    "collector.policy": Said(
        N_("The page's Content-Security-Policy forbids the snippet to ask the collector (%(directive)s)."),
        N_("Add %(origin)s to connect-src of that policy."),
    ),
    "collector.mixed": Said(
        N_("The page comes over https and the collector is asked over http, so browsers refuse it."),
        N_("Write https:// into the tag's address."),
    ),
    "collector.refused_here": Said(
        N_("The browser itself refused to ask %(address)s (%(fault)s), as an ad blocker would."),
        N_(
            "Let the site's own web server pass /np/ on to the collector: what comes from the site itself is not "
            "refused."
        ),
    ),
    "collector.cors": Said(
        N_("The collector answered, but the browser may not read the answer."),
        N_(
            "Something on the way takes Access-Control-Allow-Origin out of the answer, or adds one of its own; "
            "leave it be."
        ),
    ),
    "collector.failed": Said(
        N_("The snippet asked %(address)s and got no answer (%(fault)s)."),
        N_("Can visitors reach that address? Its web server's log says what became of it."),
    ),
    "collector.status": Said(
        N_("The snippet asked %(address)s and was answered %(status)s."),
        N_(
            "The web server must pass everything under /np/ on to the collector, POST as well, and must not ask "
            "who it is."
        ),
    ),
    "collector.gateway": Said(
        N_("The web server does not reach the collector (it answers %(status)s for %(address)s)."),
        N_(
            "Look at the address in the web server's proxy_pass or reverse_proxy, and whether the collector runs there."
        ),
    ),
    "collector.down": Said(
        N_("The collector itself does not answer here, at %(address)s: the fault is on Numberpool's side."),
        N_("Type: systemctl status numberpool   (or start it: numberpool run, or numberpool collect)"),
    ),
    "collector.up": Said(
        N_("The collector itself answers here, at %(address)s: the fault is on the way from the page to it."),
        N_("Look at the name, the web server that passes /np/ on, and firewalls between them."),
    ),
    "collector.away": Said(
        N_("The collector answers, but its database did not in time, so the page's own numbers stay."),
        N_("Look at Postgres on Numberpool's side: numberpool doctor"),
    ),
    "collector.limited": Said(
        N_("The collector took the check for abuse: too many requests came from one address."),
        N_(
            "If a proxy stands before the collector, name it in trusted_proxies under [collector] in the settings: all "
            "visitors seem to come from its address."
        ),
    ),
    "collector.unproven": Said(
        N_("The collector did not take this browser for the check's, so it showed it the page's own numbers."),
        N_("Does something between the page and the collector change the user agent? Leave it as it is."),
    ),
    # -- the numbers ---------------------------------------------------------------------------------------------------
    "target.none": Said(
        N_("The site has no swap targets, so there is nothing to swap."),
        N_("Say on the site's page which number is printed there, or type: numberpool site target %(site)s NUMBER"),
    ),
    "target.swapped": Said(N_("%(target)s is swapped to %(number)s: %(places)s.")),
    "target.static": Said(N_("%(target)s is swapped to %(number)s, the static number of its source: %(places)s.")),
    "target.absent": Said(
        N_("%(target)s is a swap target, but does not stand on this page."),
        N_("Is it written otherwise there, or has it changed? Then correct the swap targets on the site's page."),
    ),
    "target.no_pool": Said(
        N_("A visit by an advertisement counts as %(source)s, and no pool shows it a number: %(target)s stays."),
        N_("Make a pool whose conditions such a visit meets, or put numbers into it: numberpool pool list"),
    ),
    "target.full": Said(
        N_("The pool has no number free, so the page shows %(number)s in place of %(target)s."),
        N_("Add numbers to the pool; numberpool pool health says how many it wants."),
    ),
    "target.left": Said(
        N_("%(target)s still stands where it was not swapped (%(count)s ×): “%(example)s”"),
        N_(
            "The number is written there in pieces or in a way that cannot be told from other digits. Write it in one "
            "piece, such as (306) 555-1234."
        ),
    ),
    "target.kept_out": Said(
        N_("%(target)s stays as it is where the page excepts it (data-np-skip, a field, code; %(count)s ×).")
    ),
    "target.fought": Said(
        N_("A script of the page puts %(target)s back again and again, and the snippet has given up."),
        N_("Have that script write numberpool.number(text) instead of its own text, or leave the number alone."),
    ),
    "target.not_written": Said(
        N_("The collector answered with %(number)s, but %(target)s still stands on the page."),
        N_("Look into the browser's console on that page; a script of the page may have broken the snippet's work."),
    ),
    "number.other": Said(
        N_("%(number)s stands on the page and is no swap target: this one is not swapped."),
        N_("If calls to it are to be counted, add it to the swap targets on the site's page."),
    ),
    "number.in_frame": Said(
        N_("%(target)s stands inside another page that is built in (%(address)s); it is not swapped there."),
        N_("Put the snippet into that page as well, or write the number outside of it."),
    ),
    "number.in_image": Said(
        N_("%(target)s seems to stand in a picture (%(address)s); pictures are not swapped."),
        N_("Write the number as text over or beside the picture."),
    ),
    "number.saved": Said(
        N_(
            "The page comes from the server with %(number)s in it, a number that is lent to visitors: it was "
            "saved while "
            "it was shown to somebody else."
        ),
        N_(
            "Empty the site's cache, and have it save pages as the server makes them, before scripts run. Pages that a "
            "server fills with numbers itself must not be cached."
        ),
    ),
    "number.printed_static": Said(
        N_("The page itself prints %(number)s, a tracking number: whoever calls it counts for its source.")
    ),
    "direct.own": Said(N_("A visitor who comes directly sees the page's own numbers.")),
    "direct.swapped": Said(N_("A visitor who comes directly is shown %(number)s in place of %(target)s.")),
    # -- consent -------------------------------------------------------------------------------------------------------
    "consent.waits": Said(
        N_("The snippet waits for the visitor's yes: until then it keeps nothing, and lends no number of a pool.")
    ),
    "consent.works": Said(N_("After numberpool.consent(true), %(target)s is swapped to %(number)s.")),
    "consent.fails": Said(
        N_("After numberpool.consent(true), still no number is lent."),
        N_("Look at what is found of the collector and the numbers."),
    ),
    "consent.banner": Said(
        N_("The page has %(banner)s; it must tell the snippet when a visitor agrees."),
        N_(
            "Call numberpool.consent(true) where it is told that statistics or marketing are allowed; Google's consent "
            "mode is followed without that."
        ),
    ),
    "consent.no_banner": Said(
        N_("Nothing on the page seems to ask visitors for their consent, so most of them are never lent a number."),
        N_(
            "Have your banner call numberpool.consent(true); or, if none is needed, do not require consent for "
            "this site."
        ),
    ),
    # -- how visitors are remembered -----------------------------------------------------------------------------------
    "setup.same_host": Said(
        N_(
            "The site's own web server passes the collector on: visitors are remembered for %(days)s days, in "
            "Safari too."
        )
    ),
    "setup.sub_domain": Said(
        N_("The collector stands on %(host)s, in the site's own network: visitors are remembered for %(days)s days.")
    ),
    "setup.sub_domain_far": Said(
        N_(
            "The collector stands on %(host)s, in another network than the site: visitors are remembered for %(days)s "
            "days, in Safari for %(safari)s."
        ),
        N_("To be remembered longer in Safari, let the site's own web server pass /np/ on to the collector."),
    ),
    "setup.foreign": Said(
        N_(
            "The collector stands on a foreign host, %(host)s: Safari remembers visitors for %(safari)s days, and ad "
            "blockers refuse such hosts more often."
        ),
        N_("Better: let the site's own web server pass /np/ on to the collector, and write /np/np.js into the tag."),
    ),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A finding in words."""

    finding: Finding
    what: str
    mend: str


def told(finding: Finding, say: Callable[[str], str] = str) -> Told:
    """A finding in the words of one language."""
    said = SENTENCES[finding.kind]
    facts = dict(finding.facts)
    found = [say(form) % {"count": count} for name, form in _PLACES.items() if (count := facts.get(name))]
    facts["places"] = ", ".join(found)
    return Told(finding, say(said.what) % facts, say(said.mend) % facts if said.mend else "")


def told_by_area(report: Report, say: Callable[[str], str] = str) -> list[tuple[str, list[Told]]]:
    """A report under its headings, in the words of one language."""
    return [
        (say(AREAS[area]), [told(finding, say) for finding in found]) for area in Area if (found := report.of(area))
    ]
