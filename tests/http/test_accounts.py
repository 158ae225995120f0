"""One's own account: the second step, recovery codes, sessions one by one, known browsers."""

import re
import time

import aiohttp
import pyotp
import pytest

from gateway.http import pace, passwords, second_step
from gateway.http.permissions import Role
from gateway.http.sealing import KEY_FILE, Seal, seal_what_is_open
from tests.http.conftest import Pages
from tests.http.test_sign_in import PASSWORD, with_password


async def secret_of(pages: Pages) -> str:
    async with pages.database.everything() as wire:
        user_id, stored = (await wire.fetch("SELECT id, totp_secret FROM users ORDER BY id LIMIT 1"))[0]
    secret = Seal(pages.settings.data_folder).open(user_id, stored)
    assert secret is not None
    return secret


async def another_step(pages: Pages) -> None:
    """As if the code that was shown last were long ago."""
    async with pages.database.everything() as wire:
        await wire.execute("UPDATE users SET totp_last_step = 0")


async def with_second_step(pages: Pages) -> tuple[str, aiohttp.ClientSession, list[str]]:
    """An owner with password and second step: address, a signed in client, the recovery codes."""
    email = await with_password(pages)
    client = await pages.signed_in()
    page = await (await client.get("/account/second-step")).text()
    assert "<svg" in page
    secret = await secret_of(pages)
    assert secret in page.replace(" ", "")
    wrong = await client.post("/account/second-step", data={"code": "000000"})
    assert wrong.status == 422
    answer = await client.post("/account/second-step", data={"code": pyotp.TOTP(secret).now()})
    codes = re.findall(r"<code>([a-z2-7-]+)</code>", await answer.text())
    assert len(codes) == second_step.RECOVERY_CODES
    await another_step(pages)
    return email, client, codes


async def sign_in(pages: Pages, email: str) -> aiohttp.ClientSession:
    """Password shown, the code to come."""
    client = pages.client()
    answer = await client.post(
        "/sign-in", data={"email": email, "password": PASSWORD, "next": "/calls?outcome=missed"}, allow_redirects=False
    )
    assert answer.headers["Location"].startswith("/sign-in/code?next=%2Fcalls")
    return client


async def test_the_password_alone_opens_nothing_but_the_second_step(pages: Pages) -> None:
    email, _, _ = await with_second_step(pages)
    client = await sign_in(pages, email)
    assert (await client.get("/api/v1/calls")).status == 401
    assert (await client.post("/sign-out", allow_redirects=False)).status == 401
    assert (await client.get("/sign-in/code")).status == 200
    code = pyotp.TOTP(await secret_of(pages)).now()
    spaced = f" {code[:3]} {code[3:]} "
    answer = await client.post(
        "/sign-in/code", data={"code": spaced, "next": "/calls?outcome=missed"}, allow_redirects=False
    )
    assert (answer.status, answer.headers["Location"]) == (303, "/calls?outcome=missed")
    assert (await client.get("/api/v1/calls")).status == 200
    # What the browser had before is no way in, and is not open any more.
    async with pages.database.everything() as wire:
        assert await wire.fetchval("SELECT count(*) FROM sessions WHERE awaits_code") == 0


async def test_a_code_is_good_once_and_only_now(pages: Pages) -> None:
    email, _, _ = await with_second_step(pages)
    totp = pyotp.TOTP(await secret_of(pages))
    now = int(time.time())
    for moment, good in ((now - 300, False), (now + 300, False), (now - 30, True), (now, True), (now, False)):
        client = await sign_in(pages, email)
        answer = await client.post("/sign-in/code", data={"code": totp.at(moment)}, allow_redirects=False)
        assert (answer.status == 303) is good, moment - now
    # One that lies before the last that was used is used up with it.
    client = await sign_in(pages, email)
    assert (await client.post("/sign-in/code", data={"code": totp.at(now - 30)})).status == 401


async def test_each_recovery_code_opens_once(pages: Pages) -> None:
    email, owner, codes = await with_second_step(pages)
    client = await sign_in(pages, email)
    answer = await client.post("/sign-in/code", data={"code": codes[0].upper()}, allow_redirects=False)
    assert answer.status == 303
    assert "9 recovery codes are left" in await (await client.get("/account")).text()
    again = await sign_in(pages, email)
    assert (await again.post("/sign-in/code", data={"code": codes[0]})).status == 401
    async with pages.database.everything() as wire:
        actions = [row[0] for row in await wire.fetch("SELECT action FROM audit_log WHERE user_id IS NOT NULL")]
    assert {"account.second_step_on", "account.recovery_code_used", "account.signed_in"} <= set(actions)
    # New codes end the old ones, and want a code themselves.
    assert (await owner.post("/account/second-step/codes", data={"code": "x"})).status == 422
    renewed = await owner.post("/account/second-step/codes", data={"code": codes[1]})
    fresh = re.findall(r"<code>([a-z2-7-]+)</code>", await renewed.text())
    assert len(set(fresh)) == 10
    assert (await again.post("/sign-in/code", data={"code": codes[2]})).status == 401
    assert (await again.post("/sign-in/code", data={"code": fresh[0]}, allow_redirects=False)).status == 303


async def test_guessing_codes_is_slowed_down_for_the_account_not_the_browser(pages: Pages) -> None:
    email, _, _ = await with_second_step(pages)
    for _ in range(pace.CODE.tries):
        client = await sign_in(pages, email)
        assert (await client.post("/sign-in/code", data={"code": "000000"})).status == 401
    client = await sign_in(pages, email)
    code = pyotp.TOTP(await secret_of(pages)).now()
    answer = await client.post("/sign-in/code", data={"code": code})
    assert answer.status == 429
    assert "Wait 12 minutes" in await answer.text()


async def test_a_one_time_link_and_a_reset_ask_for_the_code_as_well(pages: Pages) -> None:
    await with_second_step(pages)
    client = pages.client()
    answer = await client.post(await pages.link(), allow_redirects=False)
    assert answer.headers["Location"].startswith("/sign-in/code")
    assert (await client.get("/api/v1/calls")).status == 401


async def test_turning_it_off_wants_a_last_code(pages: Pages) -> None:
    email, owner, codes = await with_second_step(pages)
    assert (await owner.post("/account/second-step/off", data={"code": "123456"})).status == 422
    assert (await owner.get("/account/second-step")).status == 200
    answer = await owner.post("/account/second-step/off", data={"code": codes[3]}, allow_redirects=False)
    assert answer.status == 303
    client = pages.client()
    signed = await client.post("/sign-in", data={"email": email, "password": PASSWORD}, allow_redirects=False)
    assert signed.headers["Location"] == "/"
    async with pages.database.everything() as wire:
        assert await wire.fetchval("SELECT count(*) FROM recovery_codes") == 0
        assert await wire.fetchval("SELECT totp_secret FROM users") is None


async def test_codes_and_secrets_of_others_are_no_use(pages: Pages) -> None:
    """A recovery code belongs to one user; the stranger's second step is his own."""
    email, _, codes = await with_second_step(pages)
    other = await pages.signed_in(Role.OWNER, pages.stranger)
    assert (await other.post("/account/second-step/off", data={"code": codes[0]})).status == 422
    assert (await (await sign_in(pages, email)).get("/sign-in/code")).status == 200


@pytest.mark.parametrize("code", ["", " ", "x" * 5000, "0" * 6 + "\x00", "💥", "１２３４５６"])
async def test_odd_codes_are_wrong_codes(pages: Pages, code: str) -> None:
    email, _, _ = await with_second_step(pages)
    client = await sign_in(pages, email)
    assert (await client.post("/sign-in/code", data={"code": code})).status == 401


async def test_sessions_are_listed_and_ended_one_by_one_and_all(pages: Pages) -> None:
    email = await with_password(pages)
    agents = (
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/18.1 Mobile/15E148 Safari/604.1",
        "evil\x07<script>alert(1)</script>",
    )
    here = pages.client()
    await here.post("/sign-in", data={"email": email, "password": PASSWORD})
    others = []
    for agent in agents:
        client = pages.client(**{"User-Agent": agent.replace("\x07", "")})
        await client.post("/sign-in", data={"email": email, "password": PASSWORD})
        others.append(client)
    page = await (await here.get("/account")).text()
    assert "Firefox on Linux" in page
    assert "iPhone" in page
    assert "<script>alert" not in page
    assert "this browser" in page
    first = re.findall(r"/account/sessions/(\d+)/end", page)
    assert len(first) == 4  # three, and the one in which the password was set
    stranger = await pages.signed_in(Role.OWNER, pages.stranger)
    assert (await stranger.post(f"/account/sessions/{first[0]}/end")).status == 404
    for id in first[:2]:
        assert (await here.post(f"/account/sessions/{id}/end", allow_redirects=False)).status == 303
        assert (await here.post(f"/account/sessions/{id}/end")).status == 404
    alive = [(await client.get("/api/v1/calls")).status for client in others]
    assert sorted(alive) == [200, 401, 401]
    await here.post("/account/sessions/end", allow_redirects=False)
    assert [(await client.get("/api/v1/calls")).status for client in (here, *others)] == [200, 401, 401, 401]
    assert (await stranger.get("/api/v1/calls")).status == 200


async def test_a_known_browser_is_not_made_to_wait_by_strangers(pages: Pages) -> None:
    email = await with_password(pages)
    known = pages.client()
    await known.post("/sign-in", data={"email": email, "password": PASSWORD})
    await known.post("/sign-out")
    for _ in range(40):
        await pages.client().post("/sign-in", data={"email": email, "password": "a guess of a stranger"})
    stranger = await pages.client().post("/sign-in", data={"email": email, "password": PASSWORD})
    assert stranger.status == 429
    answer = await known.post("/sign-in", data={"email": email, "password": PASSWORD}, allow_redirects=False)
    assert answer.status == 303


async def test_a_browser_known_to_one_is_not_known_to_another(pages: Pages) -> None:
    """Whoever has signed in as himself gains no tries at somebody else's password."""
    email = await with_password(pages)
    own = await pages.signed_in(Role.OWNER, pages.stranger)
    for _ in range(pace.PERSON.tries):
        assert (await own.post("/sign-in", data={"email": email, "password": "a guess"})).status == 401
    assert (await own.post("/sign-in", data={"email": email, "password": "a guess"})).status == 429


async def test_a_name_is_changed_and_stands_where_the_viewer_is_named(pages: Pages) -> None:
    client = await pages.signed_in()
    await client.post("/account/name", data={"name": "Ann <b>Petrova</b>"})
    page = await (await client.get("/calls")).text()
    assert "Ann &lt;b&gt;Petrova&lt;/b&gt;" in page
    assert (await client.post("/account/name", data={"name": "x" * 81})).status == 422


async def test_the_language_of_pages_and_letters_is_chosen(pages: Pages) -> None:
    client = await pages.signed_in()
    answer = await client.post("/account/language", data={"language": "ru"})
    assert answer.headers["Content-Language"] == "ru"
    async with pages.database.everything() as wire:
        assert await wire.fetchval("SELECT language FROM users") == "ru"
    assert (await client.post("/account/language", data={"language": "xx"})).status == 400


@pytest.mark.parametrize(
    ("password", "error"),
    [
        ("correct horse battery", None),
        ("пять простых слов", None),
        ("anna@example.com", passwords.PasswordIsAddress),
        ("Anna Petrova", passwords.PasswordIsAddress),
        ("annapetrova!", passwords.PasswordIsAddress),
        ("qwerty qwerty", passwords.PasswordTooCommon),
        ("Numberpool2026", passwords.PasswordTooCommon),
        ("passwordpassword", passwords.PasswordTooCommon),
        ("098765432109", passwords.PasswordTooCommon),
        ("abababababab", passwords.PasswordTooCommon),
        ("            ", passwords.PasswordTooCommon),
        ("short", passwords.PasswordTooShort),
        ("x" * 1001, passwords.PasswordTooLong),
    ],
)
def test_passwords_that_will_and_will_not_do(password: str, error: type[Exception] | None) -> None:
    if error is None:
        passwords.check(password, "anna@example.com", "Anna Petrova")
    else:
        with pytest.raises(error):
            passwords.check(password, "anna@example.com", "Anna Petrova")


async def test_the_database_shows_no_secret_and_another_user_s_row_opens_nothing(pages: Pages) -> None:
    await with_second_step(pages)
    secret, seal = await secret_of(pages), Seal(pages.settings.data_folder)
    async with pages.database.everything() as wire:
        user_id, stored = (await wire.fetch("SELECT id, totp_secret FROM users ORDER BY id LIMIT 1"))[0]
    assert secret not in stored
    assert seal.open(user_id, stored) == secret
    assert seal.open(user_id + 1, stored) is None
    assert seal.file.stat().st_mode & 0o777 == 0o600
    assert seal.close(user_id, secret) != stored


async def test_a_lost_key_leaves_the_recovery_codes_and_a_new_second_step(pages: Pages) -> None:
    email, _, codes = await with_second_step(pages)
    code = pyotp.TOTP(await secret_of(pages)).now()
    (pages.settings.data_folder / KEY_FILE).unlink()
    client = await sign_in(pages, email)
    assert "missing on the server" in await (await client.get("/sign-in/code")).text()
    answer = await client.post("/sign-in/code", data={"code": code})
    assert answer.status == 401
    assert "none of your recovery codes" in await answer.text()
    assert (await client.post("/sign-in/code", data={"code": codes[0]}, allow_redirects=False)).status == 303
    assert "missing on the server" in await (await client.get("/account")).text()
    assert (await client.post("/account/second-step/off", data={"code": codes[1]}, allow_redirects=False)).status == 303
    assert "<svg" in await (await client.get("/account/second-step")).text()
    secret = await secret_of(pages)
    answer = await client.post("/account/second-step", data={"code": pyotp.TOTP(secret).now()})
    assert len(re.findall(r"<code>([a-z2-7-]+)</code>", await answer.text())) == second_step.RECOVERY_CODES


async def test_a_proposal_under_a_lost_key_is_made_anew(pages: Pages) -> None:
    client = await pages.signed_in()
    await client.get("/account/second-step")
    before = await secret_of(pages)
    (pages.settings.data_folder / KEY_FILE).unlink()
    page = await (await client.get("/account/second-step")).text()
    assert await secret_of(pages) != before
    assert await secret_of(pages) in page.replace(" ", "")


async def test_what_an_earlier_version_left_in_the_clear_is_sealed_and_still_good(pages: Pages) -> None:
    email, _, _ = await with_second_step(pages)
    secret, seal = await secret_of(pages), Seal(pages.settings.data_folder)
    async with pages.database.everything() as wire:
        await wire.execute("UPDATE users SET totp_secret = $1", secret)
    assert await seal_what_is_open(pages.database, seal) == 1
    assert await seal_what_is_open(pages.database, seal) == 0
    async with pages.database.everything() as wire:
        assert secret not in await wire.fetchval("SELECT totp_secret FROM users ORDER BY id LIMIT 1")
    client = await sign_in(pages, email)
    answer = await client.post("/sign-in/code", data={"code": pyotp.TOTP(secret).now()}, allow_redirects=False)
    assert answer.status == 303
