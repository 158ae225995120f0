"""Which of Asterisk's modules Numberpool's dialplan needs, and which of them are not there."""

import re
from collections.abc import Iterable, Mapping

from gateway.doctor.dialplan import Dialplan
from gateway.doctor.findings import Area, Finding, error

# Where each application and function lives (``core show application X`` says it). What is in no module is of the core.
_PROVIDES: Mapping[str, str] = {
    "app_dial": "Dial RetryDial",
    "app_db": "DBdel DBdeltree",
    "app_exec": "Exec TryExec ExecIf",
    "app_mixmonitor": "MixMonitor StopMixMonitor MIXMONITOR",
    "app_originate": "Originate",
    "app_playback": "Playback",
    "app_playtones": "PlayTones StopPlayTones",
    "app_queue": "Queue QUEUE_MEMBER QUEUE_EXISTS",
    "app_read": "Read",
    "app_record": "Record",
    "app_senddtmf": "SendDTMF",
    "app_softhangup": "SoftHangup",
    "app_stack": "Gosub GosubIf Return StackPop LOCAL LOCAL_PEEK STACK_PEEK",
    "app_system": "System TrySystem",
    "app_transfer": "Transfer",
    "app_userevent": "UserEvent",
    "app_verbose": "Verbose Log",
    "app_voicemail": "VoiceMail VoiceMailMain VM_INFO",
    "app_waitforcond": "WaitForCondition",
    "app_while": "While EndWhile ExitWhile ContinueWhile",
    "func_base64": "BASE64_ENCODE BASE64_DECODE",
    "func_callerid": "CALLERID CONNECTEDLINE REDIRECTING CALLERPRES",
    "func_channel": "CHANNEL CHANNELS MASTER_CHANNEL CHANNEL_EXISTS",
    "func_cut": "CUT SORT",
    "func_db": "DB DB_EXISTS DB_DELETE DB_KEYS DB_KEYCOUNT",
    "func_devstate": "DEVICE_STATE",
    "func_dialplan": "DIALPLAN_EXISTS VALID_EXTEN",
    "func_env": "FILE STAT ENV FILE_COUNT_LINE FILE_FORMAT BASENAME DIRNAME",
    "func_export": "EXPORT",
    "func_global": "GLOBAL GLOBAL_DELETE SHARED SHARED_DELETE",
    "func_groupcount": "GROUP GROUP_COUNT GROUP_LIST GROUP_MATCH_COUNT",
    "func_hangupcause": "HANGUPCAUSE HANGUPCAUSE_KEYS HangupCauseClear",
    "func_lock": "LOCK TRYLOCK UNLOCK",
    "func_logic": "IF IFTIME IFMODULE EXISTS ISNULL SET IMPORT DELETE",
    "func_math": "MATH INC DEC MIN MAX ABS",
    "func_module": "IFMODULE",
    "func_md5": "MD5",
    "func_pjsip_aor": "PJSIP_AOR",
    "func_pjsip_contact": "PJSIP_CONTACT",
    "func_pjsip_endpoint": "PJSIP_ENDPOINT",
    "func_rand": "RAND",
    "func_sha1": "SHA1",
    "func_strings": (
        "FILTER REGEX LEN STRFTIME STRPTIME FIELDQTY FIELDNUM LISTFILTER REPLACE STRREPLACE STRBETWEEN HASH HASHKEYS "
        "ARRAY QUOTE CSV_QUOTE EVAL TOUPPER TOLOWER KEYPADHASH SHIFT POP PUSH UNSHIFT PASSTHRU TRIM LTRIM RTRIM"
    ),
    "func_talkdetect": "TALK_DETECT",
    "func_timeout": "TIMEOUT",
    "func_uri": "URIENCODE URIDECODE",
    "func_uuid": "UUID",
    "func_volume": "VOLUME",
    "res_fax": "FAXOPT ReceiveFAX SendFAX",
    "res_pjsip_header_funcs": "PJSIP_HEADER PJSIP_HEADERS PJSIP_HEADER_PARAM PJSIP_RESPONSE_HEADER",
    "chan_pjsip": "PJSIP_MEDIA_OFFER PJSIP_DIAL_CONTACTS PJSIP_PARSE_URI PJSIP_DTMF_MODE PJSIP_SEND_SESSION_REFRESH",
}
OF_THE_CORE = frozenset(
    {"Answer", "BackGround", "Busy", "Congestion", "Goto", "GotoIf", "GotoIfTime", "Hangup", "Incomplete", "NoOp"}
    | {"Proceeding", "Progress", "RaiseException", "Ringing", "Set", "MSet", "SetAMAFlags", "Wait", "WaitExten"}
    | {"WaitDigit", "AMI_CLIENT", "EXCEPTION", "MESSAGE", "MESSAGE_DATA", "TESTTIME"}
)
MODULE_OF: Mapping[str, str] = {name: module for module, names in _PROVIDES.items() for name in names.split()}

# What SIP calls, their recording in raw samples and their numbers need beside the dialplan.
ALWAYS: Mapping[str, str] = {
    "chan_pjsip": "calls over SIP",
    "res_pjsip": "calls over SIP",
    "res_pjsip_session": "calls over SIP",
    "res_pjsip_sdp_rtp": "audio of SIP calls",
    "res_rtp_asterisk": "audio of SIP calls",
    "res_pjsip_caller_id": "the caller's number",
    "res_pjsip_header_funcs": "the dialled number in To",
    "codec_ulaw": "recordings",
    "codec_alaw": "recordings",
    "format_sln": "recordings",
    "bridge_simple": "connecting two people",
    "app_chanspy": "the tone that says whether a recording is paused",
}
_NAME = re.compile(r"\b([A-Za-z][A-Za-z0-9_]*)\(")


def names_used(dialplan: Dialplan) -> set[str]:
    """Every application and function that stands in ``dialplan``, also inside ExecIf."""
    found: set[str] = set()
    for context in dialplan.values():
        for step in context.steps:
            found.add(step.application)
            found |= set(_NAME.findall(step.data))
    return found


def modules_needed(dialplan: Dialplan, also: Iterable[str] = ()) -> dict[str, str]:
    """Module -> what it is needed for: by our rendered ``dialplan``, by every SIP call, and ``also``."""
    needed = dict(ALWAYS)
    for name in sorted(names_used(dialplan)):
        module = MODULE_OF.get(name)
        if module is not None:
            needed.setdefault(module, f"{name}() in the dialplan")
    for module in also:
        needed.setdefault(module, "your trunks")
    return needed


def check_modules(needed: Mapping[str, str], loaded: Mapping[str, bool]) -> list[Finding]:
    """Modules that are needed and not running. ``loaded``: module -> whether it runs, as far as it was asked."""
    return [
        error(
            "module.missing",
            Area.MODULES,
            f"The module {module} is not loaded; it is needed for {purpose}.",
            f"asterisk -rx 'module load {module}.so'",
            f"in modules.conf, [modules]:  load = {module}.so   # and no noload of it",
            where=module,
        )
        for module, purpose in needed.items()
        if loaded.get(module) is False
    ]
