"""Checks of what people hear: codecs, the tone zone, music on hold."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gateway.doctor.conf import Config
from gateway.doctor.findings import Area, Finding, error, warning
from gateway.doctor.pjsip import Endpoint

_AREA = Area.SOUND
RELOAD = "asterisk -rx 'module reload res_pjsip.so'"

# The modules that translate a codec, any of which will do; what is not named here needs none.
TRANSLATORS: Mapping[str, tuple[str, ...]] = {
    "ulaw": ("codec_ulaw",),
    "alaw": ("codec_alaw",),
    "g722": ("codec_g722",),
    "gsm": ("codec_gsm",),
    "g726": ("codec_g726",),
    "g726aal2": ("codec_g726",),
    "g729": ("codec_g729", "codec_g729a"),
    "g723": ("codec_g723",),
    "ilbc": ("codec_ilbc",),
    "speex": ("codec_speex",),
    "speex16": ("codec_speex",),
    "speex32": ("codec_speex",),
    "opus": ("codec_opus", "codec_opus_open_source"),
    "codec2": ("codec_codec2",),
    "lpc10": ("codec_lpc10",),
    "adpcm": ("codec_adpcm",),
    "siren7": ("codec_siren7",),
    "siren14": ("codec_siren14",),
    "amr": ("codec_amr",),
    "amrwb": ("codec_amr",),
    "silk8": ("codec_silk",),
    "silk16": ("codec_silk",),
    "silk24": ("codec_silk",),
}
_NOT_AUDIO = ("h26", "vp8", "vp9", "jpeg", "png", "mpeg4", "t140", "red", "t38", "image")
_SOUND_FILES = {".wav", ".wav16", ".wav49", ".ulaw", ".ul", ".alaw", ".al", ".gsm", ".g722", ".sln", ".sln16", ".mp3"}


def check_codecs(endpoints: Iterable[Endpoint], modules: Mapping[str, bool]) -> list[Finding]:
    """Endpoints that speak nothing this Asterisk can translate, or prefer something that it cannot.

    A call on such a codec cannot be recorded, announced to, or joined to a phone that speaks another.
    """
    found = []
    for endpoint in endpoints:
        audio = [name for name in endpoint.codecs if not name.startswith(_NOT_AUDIO)]
        deaf = [name for name in audio if _is_missing(name, modules)]
        where = f"in pjsip.conf, [{endpoint.name}] type=endpoint:  disallow=all"
        if not audio:
            found.append(
                error(
                    "codec.none",
                    _AREA,
                    f"The endpoint {endpoint.name} allows no audio codec: its calls are refused.",
                    where,
                    "and behind it:  allow=ulaw,alaw,g722",
                    RELOAD,
                    where=endpoint.name,
                )
            )
        elif deaf and (len(deaf) == len(audio) or deaf[0] == audio[0]):
            only = "only" if len(deaf) == len(audio) else "first of all"
            others = ",".join(["ulaw", "alaw", *(name for name in audio if name not in ("ulaw", "alaw"))])
            found.append(
                (error if only == "only" else warning)(
                    "codec.untranslated",
                    _AREA,
                    f"The endpoint {endpoint.name} allows {only} {', '.join(deaf)}, which this Asterisk cannot "
                    "translate: such calls cannot be recorded, and hear no announcement.",
                    where,
                    f"and behind it:  allow={others}",
                    RELOAD,
                    where=endpoint.name,
                )
            )
    return found


def _is_missing(codec: str, modules: Mapping[str, bool]) -> bool:
    states = [modules.get(module) for module in TRANSLATORS.get(codec, ())]
    return bool(states) and all(state is False for state in states)


def check_tones(indications: Config, endpoints: Iterable[Endpoint]) -> list[Finding]:
    """The tone zone: without it a caller hears nothing while it rings after an announcement."""
    reload = "asterisk -rx 'module reload indications'"
    silence = "callers hear nothing while it rings after an announcement"
    country = indications.option("general", "country")
    if not country:
        what = "There is no indications.conf" if not indications.exists else "indications.conf names no country"
        return [
            warning(
                "tones.none",
                _AREA,
                f"{what}, so Asterisk has no ringing tone: {silence}.",
                "in indications.conf, [general]:  country = us   # and the tones of it in [us], as in Asterisk's "
                "sample",
                reload,
            )
        ]
    found = []
    zones = [("", country), *((endpoint.name, endpoint.get("tonezone")) for endpoint in endpoints)]
    for endpoint, zone in zones:
        if zone and not any(section.get("ring") for section in indications.named(zone)):
            whose = f"The endpoint {endpoint}" if endpoint else "indications.conf"
            found.append(
                warning(
                    "tones.no-zone",
                    _AREA,
                    f"{whose} names the tone zone {zone}, which has no ringing tone: {silence}.",
                    f"in indications.conf:  [{zone}]  ring = 440+480/2000,0/4000   # the tones of your country",
                    reload,
                    where=zone,
                )
            )
    return found


def check_music(
    music: Config,
    loaded: bool | None,
    endpoints: Iterable[Endpoint],
    files: Mapping[str, Sequence[str] | None],
) -> list[Finding]:
    """Music on hold: the classes that calls get, and whether there is anything to play.

    ``files``: folder as musiconhold.conf writes it -> names in it, None where it is not there; a folder that nobody
    could look into is left out.
    """
    load = "asterisk -rx 'module load res_musiconhold.so'"
    reload = "asterisk -rx 'moh reload'"
    if loaded is False:
        return [
            warning(
                "music.no-module",
                _AREA,
                "The module res_musiconhold is not loaded: callers who are put on hold hear nothing.",
                load,
                "in modules.conf, [modules]:  load = res_musiconhold.so",
            )
        ]
    wanted = {"default": "calls that nobody names a class for"}
    for endpoint in endpoints:
        suggested = endpoint.get("mohsuggest")
        if suggested:
            wanted.setdefault(suggested, f"the endpoint {endpoint.name}")
    found = []
    for name, who in wanted.items():
        section = next(iter(music.named(name)), None)
        if section is None:
            found.append(
                warning(
                    "music.no-class",
                    _AREA,
                    f"musiconhold.conf has no class {name}, which {who} get{'' if name == 'default' else 's'}: callers "
                    "who are put on hold hear nothing.",
                    f"in musiconhold.conf:  [{name}]  mode=files  directory=moh",
                    reload,
                    where=name,
                )
            )
        elif section.get("mode") == "files" and section.get("directory") in files:
            folder = section.get("directory")
            names = files[folder]
            if not any(Path(file).suffix.lower() in _SOUND_FILES for file in names or ()):
                found.append(
                    warning(
                        "music.no-files",
                        _AREA,
                        f"The music class {name} plays the files of {folder}, "
                        + ("which is not there" if names is None else "which has none")
                        + ": callers who are put on hold hear nothing.",
                        f"apt-get install asterisk-moh-opsound-wav   # or put sound files into {folder}",
                        reload,
                        where=name,
                    )
                )
    return found
