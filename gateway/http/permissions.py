"""What a route may ask for, and which role holds what.

An agent sees his own calls only: those that rang at, or were answered by, one of the telephones that are his in that
company. No handler looks to that: while an agent's request is served, the database itself shows no other call, leg or
recording to ``Database.companies`` (gateway.store.database, ``only_own_calls``). So a route that reads calls, or marks
one that it has read, may be given to agents as it is; a route that shows totals, visitors or settings may not.
"""

from enum import StrEnum


class Permission(StrEnum):
    """Every route names one of these."""

    PUBLIC = "public"  # anybody
    LOCAL = "local"  # this machine, or anybody signed in
    SIGNED_IN = "signed in"

    # Of people, in a company.
    CALLS_READ = "calls.read"  # the list, one call, what changes live
    CALLS_MARK = "calls.mark"  # tags, notes, status, job and value
    CALLS_EXPORT = "calls.export"
    CALLS_BACK = "calls.back"  # to ring one's own telephone and then the caller's, at the company's cost
    RECORDINGS_HEAR = "recordings.hear"  # to listen, and to take the sound away
    RECORDINGS_DELETE = "recordings.delete"  # and whatever else erases what a caller left behind
    VISITORS_READ = "visitors.read"
    PEOPLE_READ = "people.read"
    PEOPLE_CHANGE = "people.change"  # to join, split and correct them
    TEXTS_READ = "texts.read"
    TEXTS_WRITE = "texts.write"  # to answer
    REPORTS_READ = "reports.read"  # figures of the whole company
    SETTINGS_READ = "settings.read"
    SETTINGS_WRITE = "settings.write"
    USERS_MANAGE = "users.manage"  # to invite, to change a role, to remove
    AUDIT_READ = "audit.read"
    COMPANY_MANAGE = "company.manage"  # the company itself: to give it away, to end it

    # Of programs, which show a token that a command made.
    SITE_SERVER = "site server"
    COMPANY_PROGRAM = "company program"  # hands in chats and the like
    GOOGLE_ADS = "google ads"


class Role(StrEnum):
    """What somebody is in one company."""

    OWNER = "owner"
    MANAGER = "manager"
    ANALYST = "analyst"
    AGENT = "agent"


# These need no company.
WITHOUT_COMPANY = frozenset({Permission.PUBLIC, Permission.LOCAL, Permission.SIGNED_IN})
OF_PROGRAMS = frozenset({Permission.SITE_SERVER, Permission.COMPANY_PROGRAM, Permission.GOOGLE_ADS})

_EVERYTHING = frozenset(Permission) - WITHOUT_COMPANY - OF_PROGRAMS
# Recordings are other people's voices: whoever studies the figures needs none of them.
_ANALYST = frozenset(
    {
        Permission.CALLS_READ,
        Permission.CALLS_EXPORT,
        Permission.VISITORS_READ,
        Permission.PEOPLE_READ,
        Permission.TEXTS_READ,
        Permission.REPORTS_READ,
        Permission.SETTINGS_READ,
    }
)
_AGENT = frozenset({Permission.CALLS_READ, Permission.CALLS_MARK, Permission.CALLS_BACK, Permission.RECORDINGS_HEAR})

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: _EVERYTHING,
    Role.MANAGER: _EVERYTHING - {Permission.COMPANY_MANAGE, Permission.RECORDINGS_DELETE},
    Role.ANALYST: _ANALYST,
    Role.AGENT: _AGENT,
}

# Whose requests see own calls only.
OWN_CALLS_ONLY = frozenset({Role.AGENT})
