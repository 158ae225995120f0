"""Jinja templates into answers: one environment a language, everything escaped unless a template says otherwise."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import hdrs, web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from gateway.assets import asset_folder
from gateway.health import Condition
from gateway.http import hangup_causes, waveform
from gateway.http.accounts import Company
from gateway.http.call_story import short_address
from gateway.http.chart import PALETTE as PALETTE
from gateway.http.keys import PARTS, VIEWER
from gateway.http.language import Language, language_of, load_languages
from gateway.http.notices import forget_notice
from gateway.http.refusals import NotFound
from gateway.http.shell import shell_of
from gateway.http.words import UTC, Words

# A stop behind a word and another one behind that; three are an ellipsis.
_TWO_STOPS = re.compile(r"(?<=\w)\.\.(?![\w.])")

_STATIC_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


# The stylesheet's first parts, in their order; the others follow by name, and what print needs comes last.
_FIRST_STYLES = ("tokens.css", "base.css", "shell.css", "parts.css")
_LAST_STYLE = "print.css"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file that every browser may keep."""

    body: bytes
    content_type: str


class Templates:
    """Templates, catalogues and static files, read once at the start."""

    def __init__(self, web_folder: Path) -> None:
        self.languages = load_languages(web_folder / "translations")
        self.static = {
            file.name: StaticFile(file.read_bytes(), _STATIC_TYPES[file.suffix])
            for folder in (web_folder / "static", *(web_folder / "static" / name for name in ("player", "charts")))
            if folder.is_dir()
            for file in sorted(folder.iterdir())
            if file.suffix in _STATIC_TYPES
        }
        self.static["pages.css"] = StaticFile(_stylesheet(web_folder / "static" / "styles"), "text/css")
        digest = hashlib.sha256(b"".join(file.body for file in self.static.values()))
        self.static_version = digest.hexdigest()[:12]
        self._environments = {
            language.tag: self._environment(web_folder / "templates", language) for language in self.languages.values()
        }

    def render(self, name: str, language: Language, values: dict[str, Any]) -> str:
        """A template's text in one language."""
        return self._environments[language.tag].get_template(name).render(values)

    def _environment(self, folder: Path, language: Language) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        environment.install_gettext_translations(language.translations, newstyle=True)  # type: ignore[attr-defined]
        for name in ("gettext", "ngettext", "pgettext", "npgettext"):
            environment.globals[name] = _with_one_stop(environment.globals[name])
        environment.filters["short_address"] = short_address
        environment.globals.update(
            static=lambda file: f"/static/{self.static_version}/{file}",
            draw=waveform.draw,
            palette=PALETTE,
            cause_meaning=hangup_causes.meaning,
        )
        return environment


def _with_one_stop(translate: Any) -> Callable[..., str]:
    """A sentence that ends in a short day or hour, such as "23 окт." or "10:42 a.m.", ends in one full stop."""

    @pass_context
    def said(context: Context, *text: Any, **values: Any) -> str:
        sentence: str = translate(context, *text, **values)
        return type(sentence)(_TWO_STOPS.sub(".", sentence)) if ".." in sentence else sentence

    return said


def _stylesheet(folder: Path) -> bytes:
    """All parts as one file: one request, whatever the page."""
    files = {file.name: file for file in sorted(folder.glob("*.css"))}
    fixed = (*_FIRST_STYLES, _LAST_STYLE)
    order = [*_FIRST_STYLES, *(name for name in files if name not in fixed), _LAST_STYLE]
    return b"\n".join(files[name].read_bytes() for name in order)


TEMPLATES = web.AppKey("TEMPLATES", Templates)


@cache
def templates_of_checkout_or_wheel() -> Templates:
    """The templates that came with this program, made ready once for all who write with them."""
    return Templates(asset_folder("web"))


def words_for(request: web.Request, company: Company | None = None) -> Words:
    """How to say things to this reader, about this company."""
    language = language_of(request, request.app[TEMPLATES].languages)
    return Words(language, company.region, company.zone) if company else Words(language, "US", UTC)


def render(
    request: web.Request,
    template: str,
    *,
    company: Company | None = None,
    status: int = 200,
    headers: dict[str, str] | None = None,
    words: Words | None = None,
    **values: Any,
) -> web.Response:
    """A page for this reader; every template finds viewer, company, words and the languages there are.

    ``words`` where the reader's language is known otherwise than from the request.
    """
    templates = request.app[TEMPLATES]
    words = words or words_for(request, company)
    viewer = request.get(VIEWER)
    troubles = {
        part: report
        for part, report in request.app[PARTS].health.reports().items()
        if viewer is not None and report.condition is Condition.NEEDS_PERSON
    }
    shell = shell_of(request, viewer, company, words) if viewer is not None else None
    text = templates.render(
        template,
        words.language,
        {
            "viewer": viewer,
            "company": company,
            "shell": shell,
            "words": words,
            "languages": templates.languages.values(),
            "here": request.path_qs if request.method == hdrs.METH_GET else "/",
            "troubles": troubles,
            **values,
        },
    )
    answer = web.Response(text=text, content_type="text/html", status=status, headers=headers)
    answer.headers[hdrs.CONTENT_LANGUAGE] = words.language.tag
    answer.headers[hdrs.VARY] = "Accept-Language, Cookie"
    if shell is not None and shell.notice is not None:
        forget_notice(answer)
    return answer


async def static_file(request: web.Request) -> web.StreamResponse:
    """A stylesheet or script; its address changes with its content, so it may be kept for ever."""
    templates = request.app[TEMPLATES]
    file = templates.static.get(request.match_info["file"])
    if file is None:
        raise NotFound()
    fresh = request.match_info["version"] == templates.static_version
    return web.Response(
        body=file.body,
        content_type=file.content_type,
        charset="utf-8",
        headers={hdrs.CACHE_CONTROL: "public, max-age=31536000, immutable" if fresh else "no-store"},
    )
