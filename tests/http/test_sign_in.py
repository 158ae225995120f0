"""Signing in by link and by password; what a guesser, a forger and another site get."""

import hashlib
import re
from pathlib import Path

import pytest

from gateway.http import links, pace
from gateway.http.permissions import Role
from tests.http.conftest import Pages, running_pages

PASSWORD = "four plain words here"
OWNER = "owner-{}@example.com"


async def with_password(pages: Pages) -> str:
    """An owner who has set a password; the address."""
    client = await pages.signed_in()
    answer = await client.post("/account/password", data={"new": PASSWORD}, allow_redirects=False)
    assert answer.status == 303
    return OWNER.format(pages.company.id)


async def test_looking_at_a_link_does_not_use_it_up_but_pressing_the_button_does(pages: Pages) -> None:
    link, client = await pages.link(), pages.client()
    for _ in range(3):
        page = await client.get(link)
        assert page.status == 200
        assert OWNER.format(pages.company.id) in await page.text()
    assert (await client.post(link, allow_redirects=False)).headers["Location"] == "/welcome"
    assert (await client.get("/calls")).status == 200
    for again in (await client.get(link), await pages.client().post(link, allow_redirects=False)):
        assert again.status == 410
    assert (await pages.client().get("/calls", allow_redirects=False)).status == 303


async def test_a_link_is_good_for_a_quarter_of_an_hour(pages: Pages) -> None:
    link = await pages.link()
    async with pages.database.everything() as wire:
        await wire.execute("UPDATE login_links SET expires_at = now()")
    assert (await pages.client().post(link)).status == 410


async def test_two_who_press_at_once_get_one_session(pages: Pages) -> None:
    link = await pages.link()
    token = link.rpartition("/")[2]
    used = [await links.use_link(pages.database, token) for _ in range(3)]
    assert [user is not None for user in used] == [True, False, False]


async def test_password_then_password_sign_in_then_sign_out(pages: Pages) -> None:
    email = await with_password(pages)
    client = pages.client()
    answer = await client.post(
        "/sign-in",
        data={"email": f" {email.upper()} ", "password": PASSWORD, "next": "/calls?day=2026-11-01"},
        allow_redirects=False,
    )
    assert (answer.status, answer.headers["Location"]) == (303, "/calls?day=2026-11-01")
    assert (await client.get("/calls")).status == 200
    assert (await client.post("/sign-out", allow_redirects=False)).status == 303
    assert (await client.get("/calls", allow_redirects=False)).status == 303


@pytest.mark.parametrize(
    "next", ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "evil", ""]
)
async def test_nobody_is_led_to_another_site(pages: Pages, next: str) -> None:
    email = await with_password(pages)
    data = {"email": email, "password": PASSWORD, "next": next}
    answer = await pages.client().post("/sign-in", data=data, allow_redirects=False)
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("short", "at least 12"),
        ("eleven char", "at least 12"),
        ("x" * 1001, "at most 1,000"),
        ("Password1234!", "the first that anybody would try"),
        ("123456789012", "the first that anybody would try"),
        ("aaaaaaaaaaaaaaaa", "the first that anybody would try"),
        ("{email}", "must not be the e-mail address"),
    ],
)
async def test_a_password_that_will_not_do_is_refused_in_words(pages: Pages, new: str, words: str) -> None:
    client = await pages.signed_in()
    new = new.format(email=OWNER.format(pages.company.id))
    answer = await client.post("/account/password", data={"new": new})
    assert answer.status == 422
    assert words in await answer.text()


async def test_a_new_password_ends_all_other_sessions_and_asks_for_the_old_one(pages: Pages) -> None:
    email = await with_password(pages)
    here, there = pages.client(), pages.client()
    for client in (here, there):
        await client.post("/sign-in", data={"email": email, "password": PASSWORD})
    async with pages.database.everything() as wire:  # the link with which the owner first came is long ago
        await wire.execute("UPDATE login_links SET used_at = now() - interval '1 day'")
    refused = await here.post("/account/password", data={"new": "another good one", "present": "wrong"})
    assert refused.status == 422
    await here.post("/account/password", data={"new": "another good one", "present": PASSWORD})
    assert (await here.get("/calls", allow_redirects=False)).status == 200
    assert (await there.get("/calls", allow_redirects=False)).status == 303


async def test_tokens_are_in_the_database_only_as_hashes(pages: Pages) -> None:
    client = await pages.signed_in()
    token = next(cookie.value for cookie in client.cookie_jar if cookie.key == "np_session")
    async with pages.database.everything() as wire:
        stored = await wire.fetchval("SELECT token_hash FROM sessions")
        password = await wire.fetchval("SELECT password_hash FROM users")
    assert stored == hashlib.sha256(token.encode()).digest()
    assert password is None
    await with_password(pages)
    async with pages.database.everything() as wire:
        assert str(await wire.fetchval("SELECT password_hash FROM users")).startswith("$argon2id$")


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "' OR 1=1 --", "00" * 32, "💥", "a" * 5000])
async def test_a_forged_cookie_opens_nothing(pages: Pages, token: str) -> None:
    await pages.signed_in()
    value = token.encode("utf-8", "surrogateescape").decode("latin-1")
    answer = await pages.client(Cookie=f"np_session={value}").get("/api/v1/calls")
    assert answer.status == 401


async def test_an_idle_session_ends_and_a_used_one_lasts(pages: Pages) -> None:
    client = await pages.signed_in()
    async with pages.database.everything() as wire:
        await wire.execute(
            "UPDATE sessions SET last_seen = now() - interval '1 day', expires_at = now() + interval '1 h'"
        )
    assert (await client.get("/api/v1/calls")).status == 200
    async with pages.database.everything() as wire:
        assert await wire.fetchval("SELECT expires_at > now() + interval '13 days' FROM sessions")
        await wire.execute("UPDATE sessions SET expires_at = now()")
    assert (await client.get("/api/v1/calls")).status == 401


async def test_a_session_does_not_outlive_ninety_days_however_busy(pages: Pages) -> None:
    client = await pages.signed_in()
    async with pages.database.everything() as wire:
        await wire.execute("UPDATE sessions SET created_at = now() - interval '91 days'")
    assert (await client.get("/api/v1/calls")).status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_another_site_changes_nothing(pages: Pages, headers: dict[str, str]) -> None:
    client = await pages.signed_in()
    for path in ("/sign-out", "/account/password", "/language", "/sign-in", "/sign-in/link/nonsense"):
        answer = await client.post(path, data={"new": PASSWORD}, headers=headers)
        assert answer.status == 403, path
    assert (await client.get("/api/v1/calls")).status == 200


async def test_who_does_not_say_where_he_comes_from_changes_nothing(pages: Pages) -> None:
    client = pages.client()
    client.headers.pop("Origin")
    assert (await client.post("/sign-in", data={"email": "a@b", "password": "x"})).status == 403


async def test_guessing_is_slowed_down_and_says_so(pages: Pages) -> None:
    email = await with_password(pages)
    client = pages.client()
    for _ in range(pace.PERSON.tries):
        assert (await client.post("/sign-in", data={"email": email, "password": "a guess"})).status == 401
    answer = await client.post("/sign-in", data={"email": email, "password": PASSWORD})
    assert answer.status == 429
    assert 0 < int(answer.headers["Retry-After"]) <= pace.PERSON.step.total_seconds()
    assert re.search("Wait 3 minutes", await answer.text())
    assert (await client.post(await pages.link(), allow_redirects=False)).status == 303  # a link still helps


async def test_an_unknown_address_is_told_no_more_than_a_wrong_password(pages: Pages) -> None:
    email = await with_password(pages)
    wrong = await pages.client().post("/sign-in", data={"email": email, "password": "a guess"})
    unknown = await pages.client().post("/sign-in", data={"email": "no@example.com", "password": "a guess"})
    own = re.compile(r'data-now="[^"]*"|' + re.escape(email) + "|no@example.com")
    texts = [own.sub("", await answer.text()) for answer in (wrong, unknown)]
    assert (wrong.status, texts[0]) == (unknown.status, texts[1])


async def test_behind_tls_the_cookie_is_bound_to_the_host(database_dsn: str, tmp_path: Path) -> None:
    async with running_pages(database_dsn, tmp_path, public_url="https://calls.example") as pages:
        answer = await pages.client(Origin="https://calls.example").post(await pages.link(), allow_redirects=False)
        cookies = answer.headers.getall("Set-Cookie")
        assert [cookie.partition("=")[0] for cookie in cookies] == ["__Host-np_session", "__Host-np_device"]
        for cookie in cookies:
            assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}
            assert "Domain" not in cookie


FORWARDED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "calls.example",
    "Origin": "https://calls.example",
}


async def test_nobody_speaks_for_others_untrusted(pages: Pages) -> None:
    answer = await pages.client(**FORWARDED).post("/sign-in", data={"email": "a@b", "password": "x"})
    assert answer.status == 403


async def test_a_trusted_proxy_speaks_for_others(database_dsn: str, tmp_path: Path) -> None:
    async with running_pages(database_dsn, tmp_path, trusted_proxies=("127.0.0.0/8",)) as pages:
        answer = await pages.client(**FORWARDED).post("/sign-in", data={"email": "a@b", "password": "x"})
        assert answer.status == 401
        signed = await pages.client(**FORWARDED).post(await pages.link(), allow_redirects=False)
        assert signed.headers["Set-Cookie"].startswith("__Host-np_session=")


async def test_a_role_may_be_given_in_a_second_company(pages: Pages) -> None:
    client = await pages.signed_in(Role.OWNER)
    async with pages.database.everything() as wire:
        await wire.execute(
            "INSERT INTO memberships (user_id, company_id, role) SELECT id, $1, 'manager' FROM users", pages.stranger.id
        )
    page = await (await client.get(f"/calls?company={pages.stranger.id}")).text()
    assert "Acme Roofing" in page
    assert "Borealis Dental" in page
