"""The manager interface over TLS, with a certificate of an authority of our own."""

import asyncio
from pathlib import Path

import pytest
import trustme

from gateway.asterisk.ami import AmiLink, NeedsPerson, tls_context
from gateway.local.processes import free_port
from tests.stack import StartAsterisk

ACCOUNT = "[numberpool]\nsecret = s\nread = user\nwrite = call,user,reporting\n"


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def authority_file(authority: trustme.CA, tmp_path: Path) -> Path:
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    return file


async def _start(start_asterisk: StartAsterisk, authority: trustme.CA, tmp_path: Path) -> int:
    certificate = authority.issue_cert("127.0.0.1")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(str(chain), append=True)
    certificate.private_key_pem.write_to_path(str(key))
    port = free_port("127.0.0.1")
    # The account's section ends [general], so what belongs to that stands in front.
    general = (
        f"[general](+)\ntlsenable = yes\ntlsbindaddr = 127.0.0.1:{port}\ntlscertfile = {chain}\ntlsprivatekey = {key}\n"
    )
    await start_asterisk("pbx", config={"manager.conf": general + ACCOUNT})
    return port


async def test_an_authority_that_we_trust(
    start_asterisk: StartAsterisk, authority: trustme.CA, authority_file: Path, tmp_path: Path
) -> None:
    port = await _start(start_asterisk, authority, tmp_path)
    link = await AmiLink.connect("127.0.0.1", port, "numberpool", "s", lambda _: None, tls_context(authority_file))
    assert str((await link.action("Ping")).ping) == "Pong"
    link.close()
    async with asyncio.timeout(20):
        await link.wait_closed()


async def test_a_stranger_is_told_to_a_person(
    start_asterisk: StartAsterisk, authority: trustme.CA, tmp_path: Path
) -> None:
    port = await _start(start_asterisk, authority, tmp_path)
    with pytest.raises(NeedsPerson, match="set tls_ca"):
        await AmiLink.connect("127.0.0.1", port, "numberpool", "s", lambda _: None, tls_context(None))


def test_a_missing_authority_is_named(tmp_path: Path) -> None:
    with pytest.raises(NeedsPerson, match=r"missing\.pem"):
        tls_context(tmp_path / "missing.pem")
