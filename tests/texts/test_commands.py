"""``numberpool texts``, as an admin types it."""

from tests.stack import Typed


def test_a_carrier_is_added_listed_and_removed(numberpool: Typed) -> None:
    assert numberpool("company", "add", "Acme").returncode == 0
    assert "No carrier brings texts yet." in numberpool("texts", "list").stdout
    offered = numberpool("texts", "carriers").stdout
    assert all(name in offered for name in ("twilio", "telnyx", "voipms", "general", "Auth token"))
    added = numberpool("texts", "add", "twilio", "--set", "account=AC0123", given="very-secret\n")
    assert added.returncode == 0, added.stderr
    assert "/v1/texts/" in added.stdout
    assert "very-secret" not in added.stdout + added.stderr
    listed = numberpool("texts", "list").stdout
    assert "Twilio" in listed
    assert "never" in listed
    again = numberpool("texts", "add", "twilio", "--set", "account=AC0123", given="x\n")
    assert (again.returncode, "choose another name" in again.stderr) == (1, True)
    assert "needs account" in numberpool("texts", "add", "twilio", given="x\n").stderr
    assert "knows no field" in numberpool("texts", "add", "telnyx", "--set", "colour=red").stderr
    assert numberpool("texts", "remove", "Twilio").returncode == 0
    assert "numberpool texts list" in numberpool("texts", "remove", "Twilio").stderr


def test_who_is_told_by_mail(numberpool: Typed) -> None:
    numberpool("company", "add", "Acme")
    assert "a@example.com, b@example.com" in numberpool("texts", "mail", "a@example.com", "b@example.com").stdout
    assert "no e-mail address" in numberpool("texts", "mail", "nobody").stderr
    assert "Nobody is told" in numberpool("texts", "mail").stdout
