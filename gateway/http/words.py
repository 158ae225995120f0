"""How the pages say things to people: times, durations, telephone numbers, outcomes."""

import re
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import phonenumbers
from babel import Locale, dates, numbers, units

from gateway.http.language import SOURCE, Language
from gateway.http.periods import Period, Span
from gateway.http.region_names import COUNTRIES_TOO, STATES, known_names

if TYPE_CHECKING:
    from gateway.http.call_store import CallRow
    from gateway.leads.marks import Status

UTC = ZoneInfo("UTC")
# How addresses say that calls have no such value: as Google Analytics does.
NOT_SET = "(not set)"
# The year at the end of a pattern, with what leads to it.
_YEAR = re.compile(r"[\s,]*y.*$")
_UNITS = (("hour", 3600), ("minute", 60), ("second", 1))
_ROUGH_UNITS = (("day", 24 * 60), ("hour", 60), ("minute", 1))


class Words:
    """Says things in one language, as one company's country writes them, in the company's time zone."""

    def __init__(
        self, language: Language, region: str = "US", zone: ZoneInfo = UTC, now: datetime | None = None
    ) -> None:
        self.language = language
        self.locale = language.locale(region)
        self.region = region
        self.zone = zone
        self.now = (now or datetime.now(UTC)).astimezone(zone)
        self._say = language.translations

    def say(self, text: str) -> str:
        """A text of the catalogues, in the reader's language."""
        return self._say.gettext(text)

    def pgettext(self, context: str, text: str) -> str:
        """A text of the catalogues that other languages say otherwise elsewhere; ``context`` says where this is."""
        return self._say.pgettext(context, text)

    def ngettext(self, one: str, many: str, count: int, **named: str) -> str:
        """A text of the catalogues about so many of something; ``%(num)s`` in it is the number."""
        return self._say.ngettext(one, many, count) % {"num": self.number(count), **named}

    def time(self, moment: datetime) -> str:
        """10:42 AM, or 10:42 where the country counts to 24."""
        return dates.format_time(moment, "short", tzinfo=self.zone, locale=self.locale)

    def time_in(self, moment: datetime, zone: ZoneInfo) -> str:
        """The same, by the clocks of another zone."""
        return dates.format_time(moment, "short", tzinfo=zone, locale=self.locale)

    def full_time(self, moment: datetime) -> str:
        """The whole truth, for hovering and for print."""
        return dates.format_datetime(moment, "full", tzinfo=self.zone, locale=self.locale)

    def day_time(self, moment: datetime) -> str:
        """Today, 10:42."""
        say = self._say.gettext
        return say("%(day)s, %(time)s") % {"day": self.day(self.local_day(moment)), "time": self.time(moment)}

    def recent(self, moment: datetime) -> str:
        """Today, 10:42, and of other days Nov 14, 10:42: where there is little room."""
        day = self.local_day(moment)
        if (self.now.date() - day).days in (0, 1):
            return self.day_time(moment)
        say = self._say.gettext
        return say("%(day)s, %(time)s") % {"day": self.short_date(day), "time": self.time(moment)}

    def local_day(self, moment: datetime) -> date:
        """The day of the company's calendar."""
        return moment.astimezone(self.zone).date()

    def day(self, day: date) -> str:
        """Today, Yesterday, Friday, November 14; with the year where it is another."""
        away = (self.now.date() - day).days
        if away == 0:
            return self._say.gettext("Today")
        if away == 1:
            return self._say.gettext("Yesterday")
        if abs(away) < 300:
            return self.date(day)
        return dates.format_date(day, "full", self.locale)

    def short_date(self, day: date) -> str:
        """Nov 21; with the year where it is another."""
        pattern = dates.get_date_format("medium", self.locale).pattern
        if day.year == self.now.year:
            pattern = _YEAR.sub("", pattern).rstrip(" ,")
        return dates.format_date(day, pattern, self.locale)

    def date(self, day: date) -> str:
        """Saturday, November 21."""
        pattern = _YEAR.sub("", dates.get_date_format("full", self.locale).pattern)
        text = dates.format_date(day, pattern, self.locale)
        return text[:1].upper() + text[1:]

    def weekday(self, number: int) -> str:
        """Mon; Monday is 0."""
        return str(dates.get_day_names("abbreviated", context="stand-alone", locale=self.locale)[number])

    def hour(self, hour: int) -> str:
        """9 AM, or 09 where the country counts to 24."""
        has_halves = "a" in dates.get_time_format("short", self.locale).pattern
        return dates.format_time(time(hour), "h a" if has_halves else "HH", locale=self.locale)

    def span(self, span: Span) -> str:
        """The name of a period."""
        say = self._say.gettext
        return {
            Span.TODAY: say("Today"),
            Span.WEEK: say("Last 7 days"),
            Span.MONTH: say("Last 30 days"),
            Span.QUARTER: say("Last 90 days"),
            Span.THIS_MONTH: say("This month"),
            Span.LAST_MONTH: say("Last month"),
            Span.ALL: say("All time"),
            Span.CHOSEN: say("Chosen days"),
        }[span]

    def period(self, period: Period) -> str:
        """The name of a period, or its days."""
        first, last = period.first, period.last
        if period.span is not Span.CHOSEN:
            return self.span(period.span)
        if first and first == last:
            return self.short_date(first)
        if first and last:
            return f"{self.short_date(first)} – {self.short_date(last)}"
        say = self._say.gettext
        if first:
            return say("Since %(day)s") % {"day": self.short_date(first)}
        return say("Until %(day)s") % {"day": self.short_date(last)} if last else self.span(Span.ALL)

    def compared(self, period: Period) -> str:
        """With what its figures are compared, as it stands behind a change: on the 30 days before."""
        say = self._say.gettext
        return {
            Span.TODAY: say("on yesterday"),
            Span.WEEK: say("on the 7 days before"),
            Span.MONTH: say("on the 30 days before"),
            Span.QUARTER: say("on the 90 days before"),
            Span.THIS_MONTH: say("on the same days of last month"),
            Span.LAST_MONTH: say("on the month before"),
            Span.CHOSEN: say("on the day before") if period.first == period.last else say("on the days before"),
        }.get(period.span, "")

    def duration(self, seconds: float | None) -> str:
        """3:12, or 1:03:12."""
        whole = max(0, round(seconds or 0))
        minutes, rest = divmod(whole, 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

    def spoken_duration(self, seconds: float | None) -> str:
        """3 minutes 12 seconds: for screen readers and for sentences."""
        left = max(0, round(seconds or 0))
        parts: list[str] = []
        for unit, size in _UNITS:
            count, left = divmod(left, size)
            if count or (unit == "second" and not parts):
                parts.append(units.format_unit(count, f"duration-{unit}", locale=self.locale))
        return " ".join(parts)

    def rough_duration(self, seconds: float) -> str:
        """12 min, 2 hr 10 min, 3 days 4 hr: how long somebody waited; the two largest units say enough."""
        whole = max(0, round(seconds))
        if whole < 60:
            return units.format_unit(whole, "duration-second", length="short", locale=self.locale)
        left, parts = round(whole / 60), list[str]()
        for unit, size in _ROUGH_UNITS:
            count, left = divmod(left, size)
            if count and len(parts) < 2:
                parts.append(units.format_unit(count, f"duration-{unit}", length="short", locale=self.locale))
            elif parts:
                break
        return " ".join(parts)

    def number(self, value: float) -> str:
        """1,000."""
        return numbers.format_decimal(value, locale=self.locale)

    def percent(self, share: float) -> str:
        """14%."""
        return numbers.format_percent(share, locale=self.locale)

    def phone(self, number: str | None) -> str:
        """(306) 555-0142 at home, +44 20 7946 0018 from abroad, as it came where it cannot be read."""
        if number is None:
            return self._say.gettext("Withheld")
        return _formatted(number, self.region)

    def missed_why(self, outcome: str | None) -> str:
        """What kept a missed call from being answered; empty for other outcomes."""
        say = self._say.gettext
        return {
            "busy": say("busy"),
            "no_answer": say("nobody answered"),
            "abandoned": say("caller hung up"),
            "failed": say("could not be connected"),
        }.get(outcome or "", "")

    def outcome(self, call: "CallRow") -> str:
        """How a call is or how it ended, in words."""
        say = self._say.gettext
        if call.state == "ringing":
            return say("Ringing now")
        if call.state == "answered":
            return say("Talking now")
        if call.outcome == "blocked" and call.screened:
            return say("Blocked: %(why)s") % {"why": self.screened(call.screened)}
        return self.outcome_name(call.outcome or "")

    def screened(self, by: str) -> str:
        """Why a rule acted on a call, in a few words (gateway.calls.screening)."""
        say = self._say.gettext
        return {
            "listed": say("on the list of blocked callers"),
            "company-full": say("all lines busy"),
            "trunk-full": say("the trunk was full"),
            "withheld": say("number withheld"),
            "often": say("called too often"),
            "trapped": say("had dialled a trap"),
            "trap": say("dialled a trap"),
        }.get(by, by)

    def outcome_name(self, outcome: str) -> str:
        """The name of an outcome, or of a group of them."""
        say = self._say.gettext
        why = self.missed_why(outcome)
        if why:
            return say("Missed: %(why)s") % {"why": why}
        return {
            "answered": say("Answered"),
            "missed": say("Missed"),
            "voicemail": say("Voicemail"),
            "blocked": say("Blocked"),
            "cut_off": say("Cut off"),
        }.get(outcome, outcome)

    def money(self, value: Decimal, currency: str) -> str:
        """$1,200, or 1 200,50 ₽: without the cents where there are none."""
        digits = 0 if value == value.to_integral_value() else 2
        return numbers.format_currency(
            value, currency, locale=self.locale, currency_digits=False, format=_currency_pattern(self.locale, digits)
        )

    def status(self, status: "Status | str") -> str:
        """How far a lead has come."""
        say = self._say.gettext
        return {
            "new": say("New"),
            "lead": say("Lead"),
            "quoted": say("Quoted"),
            "booked": say("Booked"),
            "lost": say("Lost"),
            "spam": say("Spam"),
        }.get(str(status), str(status))

    def lead_kind(self, kind: str) -> str:
        """What a lead is, or several of a kind as the list of leads filters them."""
        return {
            "call": self.pgettext("kind of lead", "Call"),
            "form": self.pgettext("kind of lead", "Form"),
            "text": self.pgettext("kind of lead", "Text"),
            "chat": self.pgettext("kind of lead", "Chat"),
            "written": self.pgettext("kind of lead", "Forms and messages"),
            "suspect": self.pgettext("kind of lead", "Seems to be from a program"),
        }.get(kind, kind.replace("_", " ").capitalize())

    def filter_name(self, name: str) -> str:
        """What a filter of the leads is about."""
        say = self._say.gettext
        return {
            "kind": say("Kind"),
            "q": say("Search"),
            "source": say("Source"),
            "channel": say("Channel"),
            "campaign": say("Campaign"),
            "keyword": say("Keyword"),
            "pool": say("Pool"),
            "number": say("Number called"),
            "outcome": say("Result"),
            "status": say("Status"),
            "tag": say("Tag"),
            "by": say("Answered by"),
            "talk": say("Talked for"),
            "first": say("First call"),
            "qualified": say("Qualified"),
            "sure": say("How sure"),
            "screened": say("Rule"),
            "region": say("Region"),
            "caller": say("Caller"),
            "hour": say("Time"),
            "counted": say("Reports"),
            "credit": say("Credit to"),
            "clicked": say("Clicked"),
            "landing": say("Landing page"),
            "city": say("City"),
            "device": say("Device"),
            "reached": say("Reached"),
            "job": say("Job"),
        }.get(name, name)

    def place(self, region: str) -> str:
        """The name of a region that calls have in English; as it is where there is no other."""
        if self.language.tag == SOURCE:
            return region
        if region in STATES and (region not in COUNTRIES_TOO or self.region in ("US", "CA")):
            return self.say(region)
        return known_names(self.language.tag).get(region, region)

    def filter_value(self, name: str, value: str) -> str:
        """A value of a filter that needs no looking up, as people read it."""
        say = self._say.gettext
        if name == "outcome":
            return self.outcome_name(value)
        if name == "status":
            return self.status(value)
        if name == "kind":
            return self.lead_kind(value)
        if value == NOT_SET:
            return say("Unknown")
        if name == "number" or (name == "caller" and value != "withheld"):
            return self.phone(value)
        if name == "region":
            return self.place(value)
        if name == "screened":
            return self.screened(value)
        if name in ("first", "qualified", "caller", "sure", "counted", "reached", "job", "credit", "device"):
            return {
                ("counted", "yes"): say("Calls that reports count"),
                ("reached", "yes"): say("A person answered"),
                ("reached", "no"): say("Nobody answered"),
                ("job", "yes"): say("A job counts on it"),
                ("job", "no"): say("No job counts on it"),
                ("credit", "first"): self.pgettext("credit to", "the first visit"),
                ("credit", "last"): self.pgettext("credit to", "the last visit"),
                ("credit", "last non-direct"): self.pgettext("credit to", "the last visit that was not direct"),
                ("credit", "last paid"): self.pgettext("credit to", "the last paid visit"),
                ("credit", "linear"): self.pgettext("credit to", "all visits alike"),
                ("credit", "position"): self.pgettext("credit to", "mostly the first and the last visit"),
                ("credit", "time decay"): self.pgettext("credit to", "later visits more"),
                ("device", "mobile"): say("Telephone"),
                ("device", "tablet"): say("Tablet"),
                ("device", "desktop"): say("Computer"),
                ("first", "yes"): say("Called for the first time"),
                ("first", "no"): say("Had called before"),
                ("qualified", "yes"): say("Qualified as a lead"),
                ("qualified", "no"): say("Not qualified"),
                ("caller", "withheld"): say("Withheld"),
                ("sure", "high"): say("Sure: nine in ten and more"),
                ("sure", "fair"): say("Likely: half and more"),
                ("sure", "low"): say("A guess: less than half"),
            }.get((name, value), value)
        if name == "hour":
            weekday, _, hour = value.partition("-")
            return self.hour_of_week(int(weekday) - 1, int(hour))
        if name == "clicked":
            first, _, last = value.partition("..")
            return f"{self.short_date(date.fromisoformat(first))} – {self.short_date(date.fromisoformat(last))}"
        if name == "talk":
            least, _, most = value.partition("-")
            put = self._seconds
            if least and most:
                return say("%(least)s to %(most)s") % {"least": put(least), "most": put(most)}
            if least:
                return say("%(least)s and more") % {"least": put(least)}
            return say("less than %(most)s") % {"most": put(most)}
        return value

    def hour_of_week(self, weekday: int, hour: int) -> str:
        """Tuesday, 2:00 PM; weekdays count from Monday, which is 0."""
        name = dates.get_day_names("wide", "stand-alone", self.locale)[weekday]
        at = dates.format_time(time(hour), "short", locale=self.locale)
        return self.say("%(day)s, %(time)s") % {"day": name[:1].upper() + name[1:], "time": at}

    def _seconds(self, text: str) -> str:
        return self.spoken_duration(int(text))

    def change(self, now: int, before: int) -> str | None:
        """▲ 14%: against the period before; none where there was nothing to compare with."""
        if not before or now == before:
            return None
        return f"{'▲' if now > before else '▼'} {self.percent(abs(now - before) / before)}"


def _currency_pattern(locale: Locale, digits: int) -> str:
    pattern = locale.currency_formats["standard"].pattern
    return str(pattern if digits else pattern.replace(".00", ""))


@lru_cache(maxsize=4096)
def _formatted(number: str, region: str) -> str:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return number
    if not phonenumbers.is_possible_number(parsed):
        return number
    at_home = parsed.country_code == phonenumbers.country_code_for_region(region)
    style = phonenumbers.PhoneNumberFormat.NATIONAL if at_home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return str(phonenumbers.format_number(parsed, style))
