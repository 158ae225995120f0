"""What a route may ask for, and which role holds what."""

from enum import StrEnum


class Permission(StrEnum):
    """Every route names one of these."""

    PUBLIC = "public"  # anybody
    LOCAL = "local"  # this machine, or anybody signed in
    SIGNED_IN = "signed in"
    CALLS_READ = "calls.read"
    RECORDINGS_HEAR = "recordings.hear"
    ADMIN = "admin"
    # Of programs, which show a token that a command made.
    SITE_SERVER = "site server"
    GOOGLE_ADS = "google ads"


class Role(StrEnum):
    """What somebody is in one company."""

    OWNER = "owner"
    MANAGER = "manager"
    ANALYST = "analyst"
    AGENT = "agent"


# An agent is to see the calls that reached him, and no others: until a call knows which user answered it, that is none.
GRANTS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset({Permission.CALLS_READ, Permission.RECORDINGS_HEAR, Permission.ADMIN}),
    Role.MANAGER: frozenset({Permission.CALLS_READ, Permission.RECORDINGS_HEAR}),
    Role.ANALYST: frozenset({Permission.CALLS_READ}),
    Role.AGENT: frozenset(),
}

# These need no company.
WITHOUT_COMPANY = frozenset({Permission.PUBLIC, Permission.LOCAL, Permission.SIGNED_IN})
