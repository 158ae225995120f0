"""How reports are said: dimensions, models and figures in the reader's language, and the report as a sentence."""

from decimal import Decimal

from babel import numbers

from gateway.attribution.credit import Model
from gateway.http.report_view import Compare, ReportView
from gateway.http.words import Words
from gateway.reports.dimension import Basis, Dimension
from gateway.reports.figures import Key
from gateway.reports.measures import Measure, Measures, Unit
from gateway.reports.money import digits_of

Value = float | Decimal | int | None

# A change of these is neither good nor bad by itself.
_NEUTRAL = frozenset({Measure.SPEND, Measure.TALK_SECONDS, Measure.AVERAGE_TALK, Measure.EXPECTED})
# Models that may give a touch a part of a call.
SHARED = frozenset({Model.LINEAR, Model.POSITION, Model.TIME_DECAY})
_FEW = 20
# From ten times as much on, times are said instead of percents.
_MANYFOLD = 9
# So many measures are named in the sentence.
_NAMED = 4
# Less than a tenth of anything counted is nothing.
_NEXT_TO_NOTHING = 0.05


def dimension_name(words: Words, dimension: Dimension) -> str:
    """As a heading: Landing page."""
    say = words.say
    return {
        Dimension.SOURCE: say("Source"),
        Dimension.CHANNEL: say("Channel"),
        Dimension.CAMPAIGN: say("Campaign"),
        Dimension.KEYWORD: say("Keyword"),
        Dimension.LANDING: say("Landing page"),
        Dimension.POOL: say("Pool"),
        Dimension.NUMBER: say("Number called"),
        Dimension.REGION: say("Region"),
        Dimension.CITY: say("City"),
        Dimension.DEVICE: say("Device"),
        Dimension.PERSON: say("Who answered"),
    }[dimension]


def told_by(words: Words, dimension: Dimension) -> str:
    """In the sentence, after "by"."""
    return {
        Dimension.SOURCE: words.pgettext("by", "source"),
        Dimension.CHANNEL: words.pgettext("by", "channel"),
        Dimension.CAMPAIGN: words.pgettext("by", "campaign"),
        Dimension.KEYWORD: words.pgettext("by", "keyword"),
        Dimension.LANDING: words.pgettext("by", "landing page"),
        Dimension.POOL: words.pgettext("by", "pool"),
        Dimension.NUMBER: words.pgettext("by", "number called"),
        Dimension.REGION: words.pgettext("by", "region"),
        Dimension.CITY: words.pgettext("by", "city"),
        Dimension.DEVICE: words.pgettext("by", "device"),
        Dimension.PERSON: words.pgettext("by", "who answered"),
    }[dimension]


def basis_name(words: Words, basis: Basis) -> str:
    """In the sentence, after "counted on the day of"."""
    return {
        Basis.CALL: words.pgettext("day of", "the call"),
        Basis.CLICK: words.pgettext("day of", "the click"),
    }[basis]


def model_name(words: Words, model: Model) -> str:
    """In the sentence, after "credit to"."""
    return {
        Model.FIRST: words.pgettext("credit to", "the first visit"),
        Model.LAST: words.pgettext("credit to", "the last visit"),
        Model.LAST_NON_DIRECT: words.pgettext("credit to", "the last visit that was not direct"),
        Model.LAST_PAID: words.pgettext("credit to", "the last paid visit"),
        Model.LINEAR: words.pgettext("credit to", "all visits alike"),
        Model.POSITION: words.pgettext("credit to", "mostly the first and the last visit"),
        Model.TIME_DECAY: words.pgettext("credit to", "later visits more"),
    }[model]


def compare_name(words: Words, compare: Compare) -> str:
    """In the sentence, after "compared with"."""
    return {
        Compare.BEFORE: words.pgettext("compared with", "the period before"),
        Compare.YEAR: words.pgettext("compared with", "a year ago"),
        Compare.NONE: words.pgettext("compared with", "nothing"),
    }[compare]


def past_name(words: Words, compare: Compare) -> str:
    """What stands beside, as the name of a line or a column."""
    return words.say("A year ago") if compare is Compare.YEAR else words.say("The period before")


def measure_name(words: Words, measure: Measure) -> str:
    """As a heading: Cost per job."""
    return words.say(measure.words)


def value_name(words: Words, dimension: Dimension, key: Key) -> str:
    """A value of a dimension, as people read it."""
    say = words.say
    if not key.value:
        return {
            Dimension.CAMPAIGN: say("No campaign"),
            Dimension.KEYWORD: say("No keyword"),
            Dimension.LANDING: say("No page"),
            Dimension.POOL: say("No pool"),
            Dimension.PERSON: say("Nobody answered"),
        }.get(dimension, say("Unknown"))
    if dimension is Dimension.NUMBER:
        return words.phone(key.value)
    if dimension is Dimension.DEVICE:
        return {
            "mobile": say("Telephone"),
            "phone": say("Telephone"),
            "tablet": say("Tablet"),
            "desktop": say("Computer"),
        }.get(key.value, key.name)
    if dimension is Dimension.REGION:
        return words.place(key.name)
    if dimension is Dimension.PERSON and key.name == key.value:
        return key.value.partition("/")[2] or key.value
    return key.name


def sentence(words: Words, view: ReportView, measures: tuple[Measure, ...], own: Model) -> str:
    """The report's title, as a sentence without its period."""
    said = {
        "what": in_sentence(words, measures),
        "by": listed(words, [told_by(words, dimension) for dimension in view.by]),
        "day": basis_name(words, view.basis),
        "credit": model_name(words, view.model or own),
    }
    if not view.by:
        return words.say("%(what)s, counted on the day of %(day)s, credit to %(credit)s") % said
    return words.say("%(what)s by %(by)s, counted on the day of %(day)s, credit to %(credit)s") % said


def in_sentence(words: Words, measures: tuple[Measure, ...]) -> str:
    """Calls, jobs and cost per job; of many, the first ones and how many more."""
    named = measures if len(measures) <= _NAMED + 1 else measures[:_NAMED]
    names = [measure_name(words, measure) for measure in named]
    parts = [name if place == 0 else lower(name) for place, name in enumerate(names)]
    if len(measures) > len(named):
        parts.append(words.ngettext("%(num)s more", "%(num)s more", len(measures) - len(named)))
    return listed(words, parts)


def listed(words: Words, parts: list[str]) -> str:
    """One, two and three."""
    if len(parts) < 2:
        return "".join(parts)
    return words.say("%(first)s and %(last)s") % {"first": ", ".join(parts[:-1]), "last": parts[-1]}


def figure(words: Words, measure: Measure, measures: Measures, currency: str, *, in_parts: bool = False) -> str:
    """A figure in words: 1,204, 62%, $55.56, 3:12, 8.3×, 46 ± 3; a dash where it cannot be said.

    ``in_parts``: the model shares calls, so counts have a digit after the point.
    """
    value = measure.of(measures)
    if value is None:
        return "–"
    if measure is Measure.EXPECTED and measures.expected_error:
        error = measures.expected_error
        return f"{number(words, float(value), in_parts=False)} ± {number(words, error, in_parts=0 < error < 1)}"
    # People are whole, whatever their calls are shared by.
    return said(words, measure.unit, value, currency, in_parts=in_parts and measure is not Measure.CALLERS)


def said(words: Words, unit: Unit, value: Value, currency: str, *, in_parts: bool = False) -> str:
    """A value of a unit in words."""
    if value is None:
        return "–"
    if unit is Unit.SHARE:
        return words.percent(float(value))
    if unit is Unit.MONEY:
        return money(words, Decimal(value), currency)
    if unit is Unit.SECONDS:
        return words.duration(float(value))
    if unit is Unit.RATIO:
        return f"{numbers.format_decimal(float(value), format='#,##0.0', locale=words.locale)}×"
    return number(words, float(value), in_parts=in_parts)


def number(words: Words, value: float, *, in_parts: bool) -> str:
    """1,204, or 1,203.7 where calls are shared."""
    if in_parts and abs(value) >= _NEXT_TO_NOTHING:
        return str(numbers.format_decimal(value, format="#,##0.0", locale=words.locale))
    return words.number(round(value))


def money(words: Words, value: Decimal, currency: str) -> str:
    """$55.56, and $1,000 without the cents that are not there."""
    return words.money(value.quantize(Decimal(1).scaleb(-digits_of(currency))), currency)


def change(words: Words, measure: Measure, now: Value, before: Value) -> tuple[str, str]:
    """What a figure changed by, with an arrow (▲ 14%), and whether that is "better", "worse" or neither ("").

    Empty where there is nothing to compare with, or nothing changed. Shares change by points, and what is few by so
    many: from one call to three is no rise of 200% that would mean anything.
    """
    if now is None or before is None:
        return "", ""
    difference = float(now) - float(before)
    if measure.unit is Unit.SHARE:
        points = round(abs(difference) * 100)
        text = words.ngettext("%(num)s point", "%(num)s points", points) if points else ""
    elif measure.unit is Unit.COUNT and max(float(now), float(before)) < _FEW:
        is_part = difference != round(difference) and measure is not Measure.EXPECTED
        text = number(words, abs(difference), in_parts=is_part)
        text = "" if text == words.number(0) else text
    else:
        share = abs(difference) / abs(float(before)) if before else 0.0
        text = words.percent(share) if round(share, 2) else ""
        if share >= _MANYFOLD:
            text = f"{words.number(round(abs(float(now) / float(before))))}×"
    if not text:
        return "", ""
    tone = "" if measure in _NEUTRAL else "better" if (difference < 0) is measure.less_is_better else "worse"
    return f"{'▲' if difference > 0 else '▼'} {text}", tone


def lower(name: str) -> str:
    """As it stands inside a sentence."""
    return name[:1].lower() + name[1:]
