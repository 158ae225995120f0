"""Why the collector refuses a request; each names the mend."""

from gateway.http.refusals import Refusal


class CannotRead(Refusal):
    """The body cannot be read: it must be one JSON object, in UTF-8; the details name each part that must be mended."""

    status, id = 400, "bad_request"


class TooLarge(Refusal):
    """The body is too large; send less at a time, the details say how much."""

    status, id = 413, "too_large"


class UnknownSite(Refusal):
    """There is no site with this key; copy the snippet again from the site's page, or run numberpool site list."""

    status, id = 404, "unknown_site"


class WrongOrigin(Refusal):
    """This page is on a host that is not the site's; if it is yours, add it: numberpool site set NAME --host HOST."""

    status, id = 403, "wrong_origin"


class TooManyRequests(Refusal):
    """Too many requests from this address; wait, or raise visits_per_minute under [collector] in the settings."""

    status, id = 429, "too_many_requests"


class WrongToken(Refusal):
    """The token is missing or good for nothing here; send it as Authorization: Bearer TOKEN, or make a new one."""

    status, id = 401, "wrong_token"


class WrongSignature(Refusal):
    """The signature is not right; copy the secrets from the carrier again, on Settings → Texts.

    Behind a proxy, public_url under [collector] in the settings must be the address that the carrier was given.
    """

    status, id = 403, "wrong_signature"


class TryLater(Refusal):
    """The database cannot be reached; nothing was stored, send the same again later."""

    status, id = 503, "database_away"


class NoSnippet(Refusal):
    """The snippet is not built here; run make demo or make test once, or install Numberpool from its wheel."""

    status, id = 404, "no_snippet"
