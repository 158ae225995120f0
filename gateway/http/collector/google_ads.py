"""Where the script in an advertiser's Google Ads account sends what is known of clicks."""

from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from gateway.http.collector.keys import BEARER, COLLECTOR
from gateway.http.collector.protection import as_json, read
from gateway.visits.google_ads import BadClick, Click, click_of, tell_clicks

# The script sends 2,000 rows at a time, of some 300 bytes each.
LARGEST_BODY = 8 * 1024 * 1024
_MOST_ROWS = 20_000
_MOST_NAMED = 100


class Clicks(BaseModel):
    """Rows of click_view, as the Google Ads API's REST interface and AdsApp.search give them."""

    model_config = ConfigDict(extra="ignore")

    results: list[Any] = Field(
        max_length=_MOST_ROWS,
        description="objects with clickView.gclid, segments.date, and what is known of campaign.name, adGroup.name, "
        "clickView.keywordInfo.text and clickView.keywordInfo.matchType",
    )


async def clicks(request: web.Request) -> web.StreamResponse:
    """Store clicks, and let visits gain what is known of them; a row that cannot be used is named and passed over."""
    sent = await read(request.clone(client_max_size=LARGEST_BODY), Clicks)
    good: list[Click] = []
    refused = []
    for number, row in enumerate(sent.results):
        try:
            good.append(click_of(row))
        except BadClick as error:
            refused.append({"row": number, "message": f"Row {number} {error}."})
    company_id = request[BEARER].company_id
    async with request.app[COLLECTOR].database.companies(company_id) as connection:
        stored, visits = await tell_clicks(connection, company_id, good)
    return as_json({"stored": stored, "visits": visits, "refused": refused[:_MOST_NAMED]})
