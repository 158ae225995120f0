"""Why a request is refused.

Each has a status, a stable identifier for programs, and a docstring that is the message. The pages say it in the
reader's language (templates/refusal.html), by identifier.
"""

from collections.abc import Mapping
from typing import Any


class Refusal(Exception):
    """A request that is not fulfilled, and why.

    Refusal
    ├── BadRequest
    ├── NotSignedIn
    ├── CrossSite
    ├── NotAllowed
    ├── NotFound
    │   └── CallNotFound
    ├── WrongMethod
    ├── NoRecording
    ├── TooManyAttempts
    ├── DatabaseAway
    └── OurFault
    """

    status = 500
    id = "our_fault"

    def __init__(self, headers: Mapping[str, str] | None = None, **details: Any) -> None:
        super().__init__(self.message)
        self.details = details
        self.headers = dict(headers or {})

    @property
    def message(self) -> str:
        """What happened and what to do, in English."""
        return (type(self).__doc__ or "").strip()


class BadRequest(Refusal):
    """The request cannot be read; the details say which part."""

    status, id = 400, "bad_request"


class NotSignedIn(Refusal):
    """Sign in first."""

    status, id = 401, "not_signed_in"


class CrossSite(Refusal):
    """This request came from another site, so nothing was changed; do it again on the page itself."""

    status, id = 403, "cross_site"


class NotAllowed(Refusal):
    """Your role does not include this; ask an owner of the company."""

    status, id = 403, "not_allowed"


class NotFound(Refusal):
    """There is nothing at this address."""

    status, id = 404, "not_found"


class CallNotFound(NotFound):
    """There is no such call, or it belongs to a company you are not a member of."""

    id = "call_not_found"


class LeadNotFound(NotFound):
    """There is no such form, chat or text, or it belongs to a company you are not a member of."""

    id = "lead_not_found"


class WrongMethod(Refusal):
    """This address cannot be used with this method."""

    status, id = 405, "wrong_method"


class NoRecording(Refusal):
    """This call has no recording that can be played."""

    status, id = 404, "no_recording"


class TooManyAttempts(Refusal):
    """Too many attempts to sign in; wait, or sign in with a one-time link."""

    status, id = 429, "too_many_attempts"


class DatabaseAway(Refusal):
    """The database cannot be reached; calls go on ringing, and the pages come back by themselves."""

    status, id = 503, "database_away"


class OurFault(Refusal):
    """Something broke on our side; the log has the details under this reference."""
