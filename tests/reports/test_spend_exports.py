"""Exports of advertisements are read as their programs write them: headings, remarks, sums, encodings, days."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.reports.export_columns import ExportKind, Field
from gateway.reports.export_text import decoded
from gateway.reports.spend_exports import Export, Said, UnreadableExport, read_export

GOOGLE = """Campaign report
"November 1, 2026 - November 2, 2026"
Day,Campaign status,Campaign,Currency code,Cost,Impr.,Clicks
2026-11-01,Enabled,Emergency roof repair,CAD,"1,204.50","12,040",41
2026-11-01,Enabled,Spring maintenance,CAD,80.10,300,4
2026-11-02,Enabled,Emergency roof repair,CAD,99.99,900,7
2026-11-02,Paused,Spring maintenance,CAD,0.00,0,0
Total: Account, --, --,CAD,"1,384.59","13,240",52
Total: Campaigns, --, --,CAD,"1,384.59","13,240",52
"""
META = """Reporting starts,Reporting ends,Campaign name,Ad set name,Amount spent (CAD),Results
2026-11-01,2026-11-30,,,"500.00",11
2026-11-01,2026-11-30,"Spring, in town",Women,300.00,6
2026-11-01,2026-11-30,"Spring, in town",Men,150.00,4
2026-11-01,2026-11-30,Winter,All,50,1
"""
MICROSOFT = """"Report Name: November"
"Report Time: 11/1/2026,11/30/2026"
"Time Zone: (GMT-06:00) Saskatchewan"
"Last Completed Available Day: 11/30/2026 11:59:00 PM (GMT)"
"Report Aggregation: Daily"
"Potential Incomplete Data: false"
"Rows: 2"

"Gregorian date","Account name","Campaign name","Currency code","Clicks","Spend"
"11/1/2026","Acme","Bing search","CAD","22","31.50"
"11/13/2026","Acme","Bing search","CAD","3","4.10"

"©2026 Microsoft Corporation. All rights reserved. "
"""
YANDEX = """Отчёт по кампаниям;;;;
Период: 01.11.2026 - 02.11.2026;;;;
Дата;Кампания;№ Кампании;Показы;Расход (руб.)
01.11.2026;Ремонт крыш;7001;1200;1 234,56
01.11.2026;Весна;7002;90;12,5
02.11.2026;Ремонт крыш;7001;800;500
Итого;;;2090;1747,06
"""
YANDEX_PROGRAM = (
    '"November (2026-11-01 - 2026-11-02)"\nDate\tCampaignId\tCampaignName\tClicks\tCost\n'
    "2026-11-01\t7001\tRoofs\t20\t1234560000\n2026-11-02\t7001\tRoofs\t5\t500000000\nTotal rows: 2\n"
)


def read(text: str, said: Said | None = None, *, region: str = "CA", currency: str = "CAD") -> Export:
    return read_export(text, region=region, currency=currency, said=said or Said())


def told(found: Export) -> list[tuple[str, str, str, str]]:
    return [(row.first_day.isoformat(), row.last_day.isoformat(), row.campaign, str(row.amount)) for row in found.rows]


def test_google_ads() -> None:
    found = read(GOOGLE)
    assert found.kind is ExportKind.GOOGLE_ADS
    assert told(found) == [
        ("2026-11-01", "2026-11-01", "Emergency roof repair", "1204.50"),
        ("2026-11-01", "2026-11-01", "Spring maintenance", "80.10"),
        ("2026-11-02", "2026-11-02", "Emergency roof repair", "99.99"),
        ("2026-11-02", "2026-11-02", "Spring maintenance", "0.00"),
    ]
    assert (set(found.currencies), len(found.faults), found.sums, found.lines) == ({"CAD"}, 0, 2, 4)
    # "Excel CSV" is UTF-16 with tabs, and may come without its mark.
    tabs = GOOGLE.replace('"1,204.50"', "1204.50").replace('"', "").replace(",", "\t")
    for given_bytes in (tabs.encode("utf-16"), tabs.encode("utf-16-le")):
        assert told(read(decoded(given_bytes))) == told(found)


def test_google_ads_without_days_has_the_period_above_the_table() -> None:
    found = read(
        "Campaign report\n1 November 2026 – 30 November 2026\n"
        "Campaign,Cost,Impr.\nRoofs,$10.00,5\nTotal: Account,10,5\n"
    )
    assert found.kind is ExportKind.GOOGLE_ADS
    assert told(found) == [("2026-11-01", "2026-11-30", "Roofs", "10.00")]


def test_google_ads_by_week_and_month() -> None:
    weeks = read("Campaign report\nWeek,Campaign,Cost\n2026-11-02,Roofs,7\n2026-11-09,Roofs,8\n")
    assert [(row.first_day.day, row.last_day.day) for row in weeks.rows] == [(2, 8), (9, 15)]
    months = read("Campaign report\nMonth,Campaign,Cost\nNovember 2026,Roofs,7\n2026-12-01,Roofs,8\n")
    assert [row.last_day for row in months.rows] == [date(2026, 11, 30), date(2026, 12, 31)]


def test_meta() -> None:
    found = read(META)
    assert found.kind is ExportKind.META
    # The line without a campaign sums the others up; two groups of ads are one campaign.
    assert told(found) == [
        ("2026-11-01", "2026-11-30", "Spring, in town", "450.00"),
        ("2026-11-01", "2026-11-30", "Winter", "50.00"),
    ]
    assert (set(found.currencies), found.sums) == ({"CAD"}, 1)


def test_meta_by_day() -> None:
    found = read(
        "Campaign name,Day,Reporting starts,Reporting ends,Amount spent (EUR)\n"
        "Spring,2026-11-01,2026-11-01,2026-11-30,10.50\nSpring,2026-11-02,2026-11-01,2026-11-30,11.50\n"
    )
    assert [row.first_day.day for row in found.rows] == [1, 2]
    assert set(found.currencies) == {"EUR"}


def test_microsoft() -> None:
    # Its days are American, wherever the company is.
    found = read(MICROSOFT, region="GB")
    assert found.kind is ExportKind.MICROSOFT
    assert told(found) == [
        ("2026-11-01", "2026-11-01", "Bing search", "31.50"),
        ("2026-11-13", "2026-11-13", "Bing search", "4.10"),
    ]
    assert (set(found.currencies), len(found.faults)) == ({"CAD"}, 0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
def test_yandex_direct(encoding: str) -> None:
    found = read(decoded(YANDEX.encode(encoding)), region="RU", currency="RUB")
    assert found.kind is ExportKind.YANDEX_DIRECT
    assert told(found) == [
        ("2026-11-01", "2026-11-01", "Ремонт крыш", "1234.56"),
        ("2026-11-01", "2026-11-01", "Весна", "12.50"),
        ("2026-11-02", "2026-11-02", "Ремонт крыш", "500.00"),
    ]
    assert (set(found.currencies), found.sums, len(found.faults)) == ({"RUB"}, 1, 0)


def test_yandex_direct_by_its_service_in_millionths() -> None:
    found = read(YANDEX_PROGRAM, region="RU", currency="RUB")
    assert found.kind is ExportKind.YANDEX_DIRECT
    assert found.in_micros
    assert [row.amount for row in found.rows] == [Decimal("1234.56"), Decimal(500)]
    whole = read(YANDEX_PROGRAM, Said(in_micros=False), region="RU", currency="RUB")
    assert [str(row.amount) for row in whole.rows] == ["500000000.00"]
    assert [fault.kind for fault in whole.faults] == ["high"]
    coins = read(YANDEX_PROGRAM.replace("1234560000", "1234.56").replace("500000000", "500"), currency="RUB")
    assert not coins.in_micros
    assert coins.rows[0].amount == Decimal("1234.56")


def test_a_table_of_ones_own() -> None:
    found = read(
        "Source;From;To;Amount;Campaign\n"
        "Radio;2026-11-01;2026-11-30;99;x\nNewspaper;15.11.2026;14.12.2026;1.500,00 €;\n"
    )
    assert found.kind is ExportKind.TABLE
    assert [row.source for row in found.rows] == ["Radio", "Newspaper"]
    assert told(found) == [
        ("2026-11-01", "2026-11-30", "x", "99.00"),
        ("2026-11-15", "2026-12-14", "", "1500.00"),
    ]
    assert set(found.currencies) == {"EUR"}


def test_lines_that_cannot_be_used_are_named_and_nothing_else_is_lost() -> None:
    found = read(
        "Date,Campaign,Cost\n2026-11-01,a,1\nsoon,a,1\n2026-11-02,a,much\n2026-11-03,a,-5\n2026-11-04,a,1e30\n"
        "2026-02-30,a,1\n2026-11-05,a,99999999999\n2026-11-06,a,--\n"
    )
    assert [(fault.line, fault.kind, fault.text) for fault in found.faults] == [
        (3, "day", "soon"),
        (4, "amount", "much"),
        (5, "negative", "-5"),
        (6, "amount", "1e30"),
        (7, "day", "2026-02-30"),
        (8, "high", "99999999999"),
    ]
    assert [row.amount for row in found.rows] == [1, 0]


def test_a_campaign_whose_days_overlap_in_one_file_is_not_counted_twice() -> None:
    found = read(
        "From,To,Campaign,Amount\n2026-11-01,2026-11-30,a,100\n2026-11-10,2026-11-12,a,10\n2026-11-10,2026-11-12,b,5\n"
    )
    assert [(row.campaign, int(row.amount)) for row in found.rows] == [("a", 100), ("b", 5)]
    assert [(fault.line, fault.kind, fault.other) for fault in found.faults] == [(3, "twice", 2)]


def test_a_day_that_can_be_read_two_ways_is_read_as_the_others_or_as_is_said() -> None:
    text = "Date,Campaign,Cost\n03/04/2026,a,1\n13/04/2026,a,1\n"
    assert [row.first_day for row in read(text).rows] == [date(2026, 4, 3), date(2026, 4, 13)]
    text = "Date,Campaign,Cost\n03/04/2026,a,1\n"
    assert read(text, region="US").rows[0].first_day == date(2026, 3, 4)
    assert read(text, region="GB").rows[0].first_day == date(2026, 4, 3)
    assert read(text, Said(day_first=True), region="US").rows[0].first_day == date(2026, 4, 3)


def test_columns_nobody_knows_are_said_by_the_person() -> None:
    text = "Wann;Wofür;Wieviel\n01.11.2026;Dach;1.234,50\n"
    found = read(text)
    assert found.missing == (Field.AMOUNT, Field.DAY)
    assert not found.rows
    assert [line.cells for line in found.sample] == [("01.11.2026", "Dach", "1.234,50")]
    found = read(text, Said({Field.DAY: 0, Field.CAMPAIGN: 1, Field.AMOUNT: 2}))
    assert told(found) == [("2026-11-01", "2026-11-01", "Dach", "1234.50")]
    # Without days, the person says for which ones it is.
    found = read("Campaign,Cost\na,5\n", Said(period=(date(2026, 11, 1), date(2026, 11, 30))))
    assert told(found) == [("2026-11-01", "2026-11-30", "a", "5.00")]
    assert read("Campaign,Cost\na,5\n").missing == (Field.DAY,)


@pytest.mark.parametrize("text", ["", "\n\n", "one line", '"'])
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(UnreadableExport):
        read(text)


@settings(deadline=None)
@given(st.text(max_size=300) | st.binary(max_size=300).map(decoded))
def test_whatever_it_is_nothing_breaks(text: str) -> None:
    try:
        found = read(text)
    except UnreadableExport:
        return
    assert all(row.first_day <= row.last_day and row.amount >= 0 for row in found.rows)


@settings(deadline=None)
@given(
    amounts=st.lists(st.integers(0, 10**8), min_size=1, max_size=30),
    comma=st.booleans(),
    thousands=st.sampled_from(["", " ", "\u00a0", "mark"]),
)
def test_amounts_come_back_in_any_country_s_writing(amounts: list[int], comma: bool, thousands: str) -> None:
    def written(coins: int) -> str:
        text = f"{coins / 100:,.2f}"
        mark = ("." if comma else ",") if thousands == "mark" else thousands
        return text.replace(",", "T").replace(".", "," if comma else ".").replace("T", mark)

    text = "Day;Campaign;Cost\n" + "".join(
        f"2026-11-01;{place};{written(each)}\n" for place, each in enumerate(amounts)
    )
    assert sorted(row.amount * 100 for row in read(text).rows) == sorted(amounts)


def test_ten_thousand_lines() -> None:
    days = [date(2026, 1, 1).toordinal() + place for place in range(250)]
    lines = [f"{date.fromordinal(day)},Campaign {each},CAD,{each}.25" for day in days for each in range(40)]
    found = read("Campaign report\nDay,Campaign,Currency code,Cost\n" + "\n".join(lines))
    assert (len(found.rows), len(found.faults)) == (10_000, 0)
