"""A PBX with FreePBX's layout of files and names of contexts, small and of our own writing.

Not FreePBX itself: only what a guide leans on. Which file includes which, and which of them "Apply Config" writes
anew; the way of a call from ``from-pstn`` through an inbound route to a queue, a ring group, an extension or a menu,
each with subroutines and Local channels in between. (Learnt from FreePBX's modules core, framework, queues, ringgroups,
customappsreg and ivr.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.calls.sipp import make_sound
from tests.guides.site import Site, Trunk, aor, endpoint

# What "Apply Config" never touches.
CUSTOM = (
    "extensions_override_freepbx.conf",
    "extensions_custom.conf",
    "manager_additional.conf",
    "manager_custom.conf",
    "pjsip_custom.conf",
    "pjsip_custom_post.conf",
    *(
        f"pjsip.{part}_custom{post}.conf"
        for part in ("aor", "endpoint", "identify", "transports")
        for post in ("", "_post")
    ),
    "queues_custom.conf",
)
_EXTENSIONS = """
#include extensions_override_freepbx.conf
#include extensions_additional.conf
#include extensions_custom.conf

[from-trunk]
include => from-pstn

[from-pstn]
include => from-pstn-custom
include => ext-did
include => ext-did-post-custom
include => from-did-direct
include => ext-did-catchall

[from-internal]
include => from-internal-xfer
include => bad-number

[from-internal-xfer]
include => from-internal-custom
include => from-internal-additional
exten => h,1,Gosub(macro-hangupcall,s,1())

[from-did-direct]
include => ext-local

[from-queue]
exten => _X.,1,Set(QAGENT=${EXTEN})
 same => n,Goto(from-internal,${EXTEN},1)
"""
# What the modules write: {routes} of inbound routes, {failover} of the queue.
_ADDITIONAL = """
[from-internal-additional]
include => ext-queues
include => ext-group
include => ext-local

[ext-did]
{routes}

[ext-did-catchall]
exten => _[+0-9].,1,Set(__FROM_DID=${{EXTEN}})
 same => n,Goto(app-blackhole,hangup,1)

[ext-local]
exten => _10X,1,Set(__RINGTIMER=10)
 same => n,Gosub(macro-exten-vm,s,1(novm,${{EXTEN}}))
 same => n,Goto(app-blackhole,hangup,1)

[macro-exten-vm]
exten => s,1,Gosub(macro-user-callerid,s,1())
 same => n,Set(EXTTOCALL=${{ARG2}})
 same => n,Gosub(sub-record-check,s,1(exten,${{EXTTOCALL}},dontcare))
 same => n,Gosub(macro-dial-one,s,1(${{RINGTIMER}},tr,${{EXTTOCALL}}))
 same => n,Return()

[macro-dial-one]
exten => s,1,Set(DSTRING=PJSIP/${{ARG3}})
 same => n,Dial(${{DSTRING}},${{ARG1}},${{ARG2}}I)
 same => n,Return()
exten => h,1,Gosub(macro-hangupcall,s,1())

[macro-user-callerid]
exten => s,1,Set(CHANCONTEXT=${{CUT(CHANNEL,@,2)}})
 same => n,ExecIf($["${{CALLERID(name)}}" = ""]?Set(CALLERID(name)=${{CALLERID(num)}}))
 same => n,Set(__REALCALLERIDNUM=${{CALLERID(num)}})
 same => n,Return()

[macro-hangupcall]
exten => s,1,Set(CDR(userfield)=over)
 same => n,Hangup()

[sub-record-check]
; A recorder of FreePBX's own, for whatever is to be recorded.
exten => s,1,GotoIf($["${{ARG3}}" != "force" | "${{REC_STATUS}}" = "RECORDING"]?over)
 same => n,Set(__REC_STATUS=RECORDING)
 same => n,MixMonitor({monitor}/${{ARG1}}-${{ARG2}}-${{CALLERID(num)}}.wav,b)
 same => n(over),Return()

[ext-group]
exten => 601,1,Gosub(macro-user-callerid,s,1())
 same => n,Set(__NODEST=${{EXTEN}})
 same => n,Gosub(sub-record-check,s,1(rg,601,dontcare))
 same => n(DIALGRP),Gosub(macro-dial,s,1(10,trI,101-102))
 same => n,Set(__NODEST=)
 same => n,Goto(app-blackhole,hangup,1)

[macro-dial]
exten => s,1,Set(FIRST=${{CUT(ARG3,-,1)}})
 same => n,Set(SECOND=${{CUT(ARG3,-,2)}})
 same => n,Dial(Local/${{FIRST}}@from-internal/n&Local/${{SECOND}}@from-internal/n,${{ARG1}},${{ARG2}})
 same => n,Return()

[ext-queues]
exten => 600,1,Gosub(macro-user-callerid,s,1())
 same => n,Answer()
 same => n,Set(__FROMEXTEN=${{CALLERID(num)}})
 same => n,Set(__NODEST=600)
 same => n,Gosub(sub-record-check,s,1(q,600,force))
 same => n(qcall),Queue(600,t,,,{max_wait})
 same => n,Set(__NODEST=)
 same => n(gotodest),Goto({failover})

[ivr-1]
exten => s,1,Answer()
 same => n(begin),Background({menu})
 same => n,WaitExten(10)
exten => 1,1,Goto(ext-queues,600,1)
exten => 2,1,Goto(from-did-direct,102,1)
exten => i,1,Goto(s,begin)
exten => t,1,Goto(s,begin)

[app-blackhole]
exten => hangup,1,Hangup()

[bad-number]
exten => _X.,1,Hangup(1)
"""
_ROUTE = """\
exten => {did},1,Set(__DIRECTION=INBOUND)
 same => n,Set(__FROM_DID=${{EXTEN}})
 same => n,ExecIf($["${{CALLERID(name)}}" = ""]?Set(CALLERID(name)=${{CALLERID(num)}}))
 same => n,Set(__CALLINGNAMEPRES_SV=${{CALLERID(name-pres)}})
 same => n(dest-ext),Goto({destination})
"""
_PJSIP = """
#include pjsip_custom.conf
#include pjsip.transports_custom_post.conf
#include pjsip.endpoint.conf
#include pjsip.endpoint_custom_post.conf
#include pjsip.aor.conf
#include pjsip.aor_custom_post.conf
#include pjsip.identify.conf
#include pjsip.identify_custom_post.conf
[global]
type=global
#include pjsip_custom_post.conf
"""
_MANAGER = """
[admin]
secret = freepbx-secret
deny = 0.0.0.0/0.0.0.0
permit = 127.0.0.1/255.255.255.0
read = system,call,log,verbose,command,agent,user,config,dtmf,reporting,cdr,dialplan,originate
write = system,call,log,verbose,command,agent,user,config,dtmf,reporting,cdr,dialplan,originate
writetimeout = 5000

#include manager_additional.conf
#include manager_custom.conf
"""
_QUEUES = """
[general]
persistentmembers=yes
[600]
strategy=ringall
timeout=5
retry=1
setinterfacevar=yes
setqueuevar=yes
setqueueentryvar=yes
"""


@dataclass
class FreePbx:
    """What somebody has set up in the pages of FreePBX: ``apply`` writes the files from it."""

    site: Site
    trunk: Trunk = field(default_factory=lambda: Trunk("carrier", "from-pstn"))
    extensions: Sequence[str] = ("101", "102")
    queue_members: Sequence[str] = ("101", "102")
    queue_seconds: int = 8
    fail_over: str = "app-blackhole,hangup,1"
    inbound_routes: dict[str, str] = field(default_factory=dict)  # DID -> destination
    custom_destinations: dict[str, str] = field(default_factory=dict)  # description -> target

    def __post_init__(self) -> None:
        folder = self.site.folder
        self.monitor = folder / "monitor"
        self.monitor.mkdir()
        self._menu = make_sound(folder, "menu", 440, 0.5)
        etc = self.site.pbx.etc
        etc.mkdir(parents=True)
        for name in CUSTOM:
            (etc / name).touch()
        self._write()

    def fill_in(self, fields: Mapping[str, str]) -> None:
        """Fill in a form and submit it: a custom destination, an inbound route, or the queue's."""
        match dict(fields):
            case {"Description": name, "Target": target, "Return": "No"}:
                self.custom_destinations[name] = target
            case {"DID Number": did, "Set Destination": chosen}:
                self.inbound_routes[did] = self._destination(chosen)
            case {"Fail Over Destination": chosen}:
                self.fail_over = self._destination(chosen)
            case other:
                raise AssertionError(f"FreePBX has no form for {other}")

    def _destination(self, chosen: str) -> str:
        module, _, name = chosen.partition(": ")
        assert module == "Custom Destinations", chosen
        return self.custom_destinations[name]

    async def apply(self) -> None:
        """Apply Config: every file that is FreePBX's is written anew, and Asterisk reloads."""
        self._write()
        self.site.pbx.write_config()
        for what in ("manager reload", "dialplan reload", "module reload res_pjsip.so", "module reload app_queue.so"):
            await self.site.pbx.cli(what)

    def _write(self) -> None:
        routes = "".join(
            _ROUTE.format(did=did, destination=destination) for did, destination in self.inbound_routes.items()
        )
        additional = _ADDITIONAL.format(
            routes=routes,
            failover=self.fail_over,
            max_wait=self.queue_seconds,
            menu=self._menu,
            monitor=self.monitor,
        )
        members = "".join(f"member=Local/{name}@from-queue/n,0,{name}\n" for name in self.queue_members)
        self.site.pbx.config.update(
            {
                "extensions.conf": _EXTENSIONS,
                "extensions_additional.conf": additional,
                "manager.conf": _MANAGER,
                "pjsip.conf": _PJSIP,
                "pjsip.endpoint.conf": "#include pjsip.endpoint_custom.conf\n"
                + self.trunk.endpoint
                + "".join(endpoint(name, "from-internal") for name in self.extensions),
                "pjsip.aor.conf": "#include pjsip.aor_custom.conf\n"
                + "".join(aor(name, self.site.ports[name]) for name in self.extensions),
                "pjsip.identify.conf": "#include pjsip.identify_custom.conf\n" + self.trunk.identify,
                "queues.conf": _QUEUES + members + "#include queues_custom.conf\n",
            }
        )

    @property
    def generated(self) -> Mapping[str, Path]:
        """The files that are FreePBX's."""
        return {name: self.site.pbx.etc / name for name in self.site.pbx.config}
