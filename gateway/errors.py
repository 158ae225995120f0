"""The root of what a person can mend."""


class Mendable(Exception):
    """What stands in the way can be mended by whoever reads the message: it says how.

    Mendable
    ├── SettingsError    gateway.settings
    ├── StoreError       gateway.store.database
    ├── LocalError       gateway.local.errors
    ├── SetupError       gateway.pools.errors
    ├── MailNotSent      gateway.delivery.commands
    ├── NoUsableKey      gateway.http.sealing
    └── CommandRefused   gateway.http.commands
    """
