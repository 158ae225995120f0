"""A dialplan as admins write it by hand, for calls to be led into: queues, a menu, ring groups, follow-me, a mailbox.

What stands here knows of Numberpool only where it hands a call back (``numberpool-next``).
"""

from collections.abc import Mapping
from pathlib import Path

from tests.calls.sipp import make_sound

MENU_HZ, MUSIC_HZ = 440.0, 330.0
# Contexts that the settings allow, and one that is there but not allowed.
CONTEXTS = ("from-internal", "queues", "menu", "ext-group", "follow-me", "mailboxes", "recorded", "loops")
NOT_ALLOWED = "back-office"

_EXTENSIONS = """
[from-internal]
; Extensions, by a subroutine as most dialplans have one.
exten => _1XX,1,Gosub(dial-extension,s,1(${EXTEN}))
 same => n,Hangup()

[dial-extension]
exten => s,1,GotoIf($["${ARG1}" = "101"]?first)
 same => n,GotoIf($["${ARG1}" = "102"]?second)
 same => n,Dial(PJSIP/rings,${RINGTIMER})
 same => n,Return()
 same => n(first),Dial(PJSIP/rings,${RINGTIMER})
 same => n,Return()
 same => n(second),Dial(PJSIP/second,${RINGTIMER})
 same => n,Return()

[queues]
exten => 600,1,Answer()
 same => n,Queue(sales,,,,8)
 same => n,Goto(numberpool-next,s,1)
; Members are Local channels into extensions.
exten => 601,1,Answer()
 same => n,Queue(support,,,,8)
 same => n,Goto(numberpool-next,s,1)
; Nobody ever comes: the next destination's turn.
exten => 602,1,Answer()
 same => n,Queue(nobody,,,,2)
 same => n,Goto(numberpool-next,s,1)
; Nobody comes, and the admin ends the call.
exten => 603,1,Answer()
 same => n,Queue(nobody,,,,2)
 same => n,Hangup()
; The call is not answered by the queue itself but by the member.
exten => 604,1,Queue(sales,r,,,8)
 same => n,Goto(numberpool-next,s,1)
; The member takes his time.
exten => 605,1,Answer()
 same => n,Queue(slow,,,,8)
 same => n,Goto(numberpool-next,s,1)
; Nobody comes, so the caller may leave a message.
exten => 606,1,Answer()
 same => n,Queue(nobody,,,,2)
 same => n,VoiceMail(100@default,ust())
 same => n,Hangup()
; The agent hangs up first; the caller is asked something, and then nobody else is there.
exten => 607,1,Answer()
 same => n,Queue(short,c,,,8)
 same => n,Dial(PJSIP/busy,3)
 same => n,Hangup()

[menu]
exten => 700,1,Answer()
 same => n(again),Background({menu})
 same => n,WaitExten(10)
exten => 1,1,Goto(queues,600,1)
exten => 2,1,Dial(PJSIP/main,8)
 same => n,Hangup()
exten => i,1,Goto(700,again)
exten => t,1,Goto(700,again)

[ext-group]
; Everybody's extension through Local channels, as FreePBX builds a ring group.
exten => 610,1,Gosub(user-callerid,s,1)
 same => n,Set(RINGTIMER=8)
 same => n,Dial(Local/101@from-internal/n&Local/102@from-internal/n,${RINGTIMER},trI)
 same => n,Hangup()
; The same without /n: the Local channels take themselves out of the way.
exten => 611,1,Set(RINGTIMER=8)
 same => n,Dial(Local/101@from-internal&Local/102@from-internal,${RINGTIMER},tr)
 same => n,Hangup()

[user-callerid]
exten => s,1,Set(__FROM_DID=${EXTEN})
 same => n,Set(CALLERID(name)=In: ${CALLERID(name)})
 same => n,Return()

[follow-me]
exten => 620,1,Answer()
 same => n,FollowMe(boss,d)
 same => n,Goto(numberpool-next,s,1)
exten => 621,1,Goto(from-internal,102,1)

[mailboxes]
exten => 630,1,VoiceMail(100@default,ust())
 same => n,Hangup()
exten => 631,1,Dial(PJSIP/rings,2)
 same => n,VoiceMail(100@default,ust())
 same => n,Hangup()

[recorded]
; The admin records calls himself.
exten => 640,1,MixMonitor({own}/${CALLERID(num)}.wav)
 same => n,Dial(PJSIP/main,8)
 same => n,Hangup()
exten => 641,1,MixMonitor({own}/${CALLERID(num)}.wav,b)
 same => n,Queue(sales,r,,,8)
 same => n,Hangup()
; And stops the recorder that he began last.
exten => 642,1,MixMonitor({own}/${CALLERID(num)}.wav)
 same => n,StopMixMonitor()
 same => n,Dial(PJSIP/main,8)
 same => n,Hangup()

[recorded-trunk]
; From the moment the call comes in, before it is Numberpool's.
exten => _+X.,1,MixMonitor({own}/${CALLERID(num)}.wav)
 same => n,Goto(numberpool-in,${EXTEN},1)

[loops]
exten => 650,1,Goto(numberpool-in,+13065552050,1)
exten => 651,1,Dial(Local/+13065552051@numberpool-in/n,20)
 same => n,Hangup()
exten => 652,1,Goto(numberpool-in,s,1)

[back-office]
exten => 660,1,Answer()
 same => n,Playback({menu})
 same => n,Dial(PJSIP/second)
"""
_QUEUES = """
[general]
[sales]
strategy=ringall
timeout=5
retry=1
member => PJSIP/rings
member => PJSIP/second
[support]
strategy=ringall
timeout=5
retry=1
member => Local/101@from-internal/n
member => Local/102@from-internal/n
[nobody]
strategy=ringall
timeout=5
retry=1
member => PJSIP/rings
[slow]
strategy=ringall
timeout=5
member => PJSIP/slow
[short]
strategy=ringall
timeout=5
member => PJSIP/hangs-up
"""
_FOLLOW_ME = """
[general]
[boss]
enable_callee_prompt=no
number => 101&102,8
context => from-internal
"""
_VOICEMAIL = """
[general]
format=wav
minsecs=0
[default]
100 => 1234,Reception
"""


def admin_config(folder: Path) -> Mapping[str, str]:
    """Asterisk's files, as ``Installation.extra_config`` takes them; sounds and recordings lie in ``folder``."""
    own = folder / "own-recordings"
    own.mkdir(parents=True, exist_ok=True)
    menu = make_sound(folder, "menu", MENU_HZ, 1.0)
    extensions = _EXTENSIONS.replace("{menu}", menu).replace("{own}", str(own))
    mailbox = folder / "pbx" / "spool" / "voicemail" / "default" / "100"
    mailbox.mkdir(parents=True, exist_ok=True)
    make_sound(mailbox, "unavail", MENU_HZ, 0.2)
    music = folder / "music"
    music.mkdir(exist_ok=True)
    make_sound(music, "music", MUSIC_HZ, 10)
    return {
        "extensions.conf": extensions,
        "queues.conf": _QUEUES,
        "followme.conf": _FOLLOW_ME,
        "voicemail.conf": _VOICEMAIL,
        "modules.conf": "load = app_followme.so\nload = res_musiconhold.so\n",
        "musiconhold.conf": f"[default]\nmode=files\ndirectory={music}\n",
    }
