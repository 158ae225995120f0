"""Why a site cannot be looked at at all; what is wrong with the site itself is a finding."""

from gateway.errors import Mendable


class SiteCheckError(Mendable):
    """The check itself cannot be made.

    SiteCheckError
    ├── BadAddress
    ├── NoBrowser
    ├── BrowserFailed
    ├── NoSandbox
    └── TooMuch
    """


class BadAddress(SiteCheckError):
    """is not the address of a page; write it as a browser shows it, such as https://www.example.com/contact."""

    def __init__(self, given: str) -> None:
        super().__init__(f"{given[:200]!r} {self.__doc__}")


class NoBrowser(SiteCheckError):
    """Pages are looked at with Chromium, which is not on this machine. Type:  sudo apt-get install -y chromium

    (or name another: chromium under [site_check] in the settings, such as "/opt/google/chrome/chrome").
    """

    def __init__(self) -> None:
        super().__init__("\n".join(line.strip() for line in (self.__doc__ or "").splitlines()).strip())


class BrowserFailed(SiteCheckError):
    """The browser did not start or ended in the middle; what it said last is below. Try again; if it goes on, install
    Chromium anew."""

    def __init__(self, said: str) -> None:
        super().__init__(f"{' '.join((self.__doc__ or '').split())}\n{said}".rstrip())


class NoSandbox(SiteCheckError):
    """The browser cannot lock the page in, because this system gives it no sandbox. Type:  sudo apt-get install -y
    chromium-sandbox  or let users have namespaces of their own (sysctl kernel.apparmor_restrict_unprivileged_userns=0).
    In a container that is thrown away, sandbox = false under [site_check] in the settings does without."""

    def __init__(self) -> None:
        super().__init__(" ".join((self.__doc__ or "").split()))


class TooMuch(SiteCheckError):
    """The page took more memory than a page may (1.5 GB), so the browser was ended; look at it in a browser of your own
    first."""

    def __init__(self) -> None:
        super().__init__(" ".join((self.__doc__ or "").split()))
