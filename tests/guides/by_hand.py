"""A PBX whose files somebody has written by hand, as it was before Numberpool came."""

from collections.abc import Mapping

from tests.guides.site import Site, Trunk, aor, endpoint

PHONES = {"reception": "answers", "agent": "rings", "fax": "answers", "owner": "answers"}
_EXTENSIONS = """
[from-carrier]
; The number on the letterhead, the fax, the owner's own line.
exten => +13065559000,1,Goto(queues,600,1)
exten => +13065559001,1,Dial(PJSIP/fax,20)
 same => n,Hangup()
exten => +13065559002,1,Gosub(ring,s,1(owner))
 same => n,Hangup()

[ring]
exten => s,1,Dial(PJSIP/${ARG1},20)
 same => n,Return()

[queues]
exten => 600,1,Answer()
 same => n,Queue(sales,n)
 same => n,Hangup()

[internal]
exten => 600,1,Goto(queues,600,1)
exten => 101,1,Gosub(ring,s,1(reception))
"""
_QUEUES = """
[general]
[sales]
strategy=ringall
timeout=2
member => PJSIP/agent
"""


def files(site: Site) -> Mapping[str, str]:
    """Its files."""
    trunk = Trunk("carrier", "from-carrier")
    return {
        "extensions.conf": _EXTENSIONS,
        "manager.conf": "",
        "pjsip.conf": "[global]\ntype=global\n"
        + trunk.identify
        + trunk.endpoint
        + "".join(endpoint(name, "internal") + aor(name, site.ports[name]) for name in PHONES),
        "queues.conf": _QUEUES,
    }
