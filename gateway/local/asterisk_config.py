"""The configuration of a private Asterisk: what every one of them has.

Each file may be added to; what is added comes after what stands here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.local.programs import AsteriskHome

# By name, because loading everything takes seconds and fills the log with the complaints of
# modules that have no configuration. Modules that an Asterisk does not have are left out.
_MODULE_NAMES = """
app_amd app_authenticate app_bridgewait app_chanspy app_confbridge app_db app_dial
app_directed_pickup app_echo app_exec app_milliwatt app_mixmonitor app_originate app_playback app_playtones app_queue
app_read app_record app_sayunixtime app_senddtmf app_softhangup app_stack app_system app_transfer
app_userevent app_verbose app_voicemail app_waitforcond app_waitforsilence app_while
bridge_builtin_features bridge_builtin_interval_features bridge_holding bridge_native_rtp
bridge_simple bridge_softmix chan_pjsip codec_a_mu codec_alaw codec_g722 codec_gsm codec_opus
codec_opus_open_source codec_resample
codec_ulaw format_gsm format_pcm format_sln format_wav format_wav_gsm func_base64 func_callerid
func_cdr func_channel func_config func_curl func_cut func_db func_devstate func_dialplan func_env
func_evalexten func_export func_extstate func_global func_groupcount func_hangupcause func_lock
func_logic func_math func_md5 func_module func_pjsip_aor func_pjsip_contact func_pjsip_endpoint
func_presencestate func_rand func_sha1 func_shell func_sprintf func_strings func_sysinfo
func_talkdetect func_timeout func_uri func_uuid func_version func_volume pbx_config pbx_spool
res_agi res_clialiases res_clioriginate res_convert res_crypto res_curl res_format_attr_opus
res_http_websocket res_limit res_mutestream res_pjproject res_pjsip res_pjsip_acl
res_pjsip_authenticator_digest res_pjsip_caller_id res_pjsip_config_wizard res_pjsip_diversion
res_pjsip_dlg_options res_pjsip_dtmf_info res_pjsip_empty_info
res_pjsip_endpoint_identifier_anonymous res_pjsip_endpoint_identifier_ip
res_pjsip_endpoint_identifier_user res_pjsip_exten_state res_pjsip_header_funcs res_pjsip_history
res_pjsip_logger res_pjsip_messaging res_pjsip_mwi res_pjsip_mwi_body_generator res_pjsip_nat
res_pjsip_notify res_pjsip_outbound_authenticator_digest
res_pjsip_outbound_publish res_pjsip_outbound_registration
res_pjsip_path res_pjsip_pidf_body_generator res_pjsip_pubsub res_pjsip_refer res_pjsip_registrar
res_pjsip_rfc3326 res_pjsip_rfc3329 res_pjsip_sdp_rtp res_pjsip_session res_pjsip_sips_contact res_pjsip_t38
res_rtp_asterisk res_security_log res_sorcery_astdb res_sorcery_config res_sorcery_memory
res_sorcery_realtime res_speech res_srtp res_statsd res_timing_timerfd res_tonedetect
"""
MODULES = tuple(_MODULE_NAMES.split())

# Tones of North America; without a tone zone a caller hears nothing while it rings after an
# announcement.
INDICATIONS = """\
[general]
country = us

[us]
description = United States and Canada
ringcadence = 2000,4000
dial = 350+440
busy = 480+620/500,0/500
ring = 440+480/2000,0/4000
congestion = 480+620/250,0/250
callwaiting = 440/300,0/10000
dialrecall = !350+440/100,!0/100,!350+440/100,!0/100,!350+440/100,!0/100,350+440
record = 1400/500,0/15000
info = !950/330,!1400/330,!1800/330,0
stutter = !350+440/100,!0/100,!350+440/100,!0/100,!350+440/100,!0/100,350+440
"""

# Files that Asterisk complains about when they are missing, and that need no content.
EMPTY = (
    "acl.conf",
    "amd.conf",
    "ccss.conf",
    "cli.conf",
    "cli_aliases.conf",
    "cli_permissions.conf",
    "codecs.conf",
    "confbridge.conf",
    "dnsmgr.conf",
    "dsp.conf",
    "features.conf",
    "func_odbc.conf",
    "pjproject.conf",
    "pjsip_notify.conf",
    "pjsip_wizard.conf",
    "queues.conf",
    "queuerules.conf",
    "res_curl.conf",
    "sorcery.conf",
    "stasis.conf",
    "statsd.conf",
    "udptl.conf",
    "voicemail.conf",
)


@dataclass(frozen=True)
class Places:
    """Where a private Asterisk keeps its things, and where it listens."""

    folder: Path
    run: Path
    address: str
    sip_port: int
    ami_port: int
    rtp_first: int
    rtp_last: int

    @property
    def etc(self) -> Path:
        """Its configuration files."""
        return self.folder / "etc"


def _asterisk_conf(home: AsteriskHome, places: Places, name: str) -> str:
    state = places.folder / "state"
    return f"""\
[directories]
astcachedir => {places.folder / "cache"}
astetcdir => {places.etc}
astmoddir => {home.modules}
astvarlibdir => {state}
astdbdir => {state}
astkeydir => {state}
astdatadir => {home.data}
astagidir => {places.folder / "agi-bin"}
astspooldir => {places.folder / "spool"}
astrundir => {places.run}
astlogdir => {places.folder / "log"}

[options]
systemname = {name}
nocolor = yes
documentation_language = en_US
"""


def _modules_conf(home: AsteriskHome) -> str:
    present = [name for name in MODULES if (home.modules / f"{name}.so").is_file()]
    return "[modules]\nautoload = no\n" + "".join(f"load = {name}.so\n" for name in present)


def base_files(home: AsteriskHome, places: Places, name: str, verbose: int) -> dict[str, str]:
    """File name to text, of every file that a private Asterisk starts with."""
    full = f"full => notice,warning,error,verbose({verbose})\n" if verbose else ""
    files = {
        "asterisk.conf": _asterisk_conf(home, places, name),
        "modules.conf": _modules_conf(home),
        "logger.conf": (
            f"[general]\ndateformat = %F %T.%3q\nqueue_log = no\n\n[logfiles]\nmessages => notice,warning,error\n{full}"
        ),
        "rtp.conf": (
            f"[general]\nrtpstart = {places.rtp_first}\nrtpend = {places.rtp_last}\n"
            # Nobody but the two ends of a loopback call; asking for addresses costs time.
            "icesupport = no\n"
        ),
        "indications.conf": INDICATIONS,
        "pjsip.conf": (f"[udp]\ntype = transport\nprotocol = udp\nbind = {places.address}:{places.sip_port}\n\n"),
        "manager.conf": (
            f"[general]\nenabled = yes\nwebenabled = no\nbindaddr = 127.0.0.1\nport = {places.ami_port}\n\n"
        ),
        "extensions.conf": "[general]\nstatic = yes\nwriteprotect = yes\n\n",
        "http.conf": "[general]\nenabled = no\n",
        "cdr.conf": "[general]\nenable = no\n",
        "cel.conf": "[general]\nenable = no\n",
    }
    return {**dict.fromkeys(EMPTY, ""), **files}


def write_files(etc: Path, base: Mapping[str, str], added: Mapping[str, str]) -> None:
    """Write the files, with what the caller adds to each of them."""
    etc.mkdir(parents=True, exist_ok=True)
    for name in [*base, *(name for name in added if name not in base)]:
        path = etc / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(base.get(name, "") + added.get(name, ""))
