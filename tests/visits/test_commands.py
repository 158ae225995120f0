"""The commands as a person types them, each a process of its own."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.visits.classify import classify, default_classifier
from gateway.visits.lines import classified_lines

PROJECT = Path(__file__).parents[2]
KEYS = ["label", "channel", "source", "medium", "campaign", "content", "keyword", "click_id", "click_id_type", "rule"]


def typed(folder: Path, *words: str, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "gateway", *words],
        input=given,
        capture_output=True,
        check=False,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(PROJECT), "LC_ALL": "C"},
    )


LINES: list[tuple[bytes, str, str]] = [
    (b'{"url": "https://a.example/?gclid=x", "referrer": "https://www.google.com/"}', "Google Paid", "ad-click"),
    (b"", "Unknown", "unreadable"),
    (b"nonsense", "Unknown", "unreadable"),
    (b'{"url": "https://a.example/"', "Unknown", "unreadable"),
    (b"[]", "Unknown", "unreadable"),
    (b"null", "Unknown", "unreadable"),
    (b"[" * 200_000, "Unknown", "unreadable"),
    (b'{"url": ' + b"9" * 10_000 + b"}", "Unknown", "unreadable"),
    (b"\xff\xfe\x00", "Unknown", "unreadable"),
    (b"{}", "Direct", "direct"),
    (b'{"url": null, "referrer": 7}', "Direct", "direct"),
    (b'{"url": ["https://a.example/?gclid=x"], "referrer": {}}', "Direct", "direct"),
    (b'{"url": "https://a.example/?utm_source=caf\xe9"}', "caf\ufffd", "tagged"),
    (b'{"url": "https://a.example/?utm_source=\\ud800x"}', "\ufffdx", "tagged"),
    (b'{"url": "https://a.example/?utm_source=\\ud83d\\ude00"}', "😀", "tagged"),
    ('{"url": "https://a.example/?utm_source=Dépliant\u2028"}'.encode(), "Dépliant", "tagged"),
    (b'{"url": "https://a.example/?utm_source=a\x01\tb"}', "ab", "tagged"),
    (b'{"url": "https://a.example/?utm_source=a\\u0000b"}', "ab", "tagged"),
    (b'\xef\xbb\xbf{"referrer": "https://www.bing.com/"}\r', "Bing Organic", "search"),
    (b'{"referrer": "https://www.google.com/", "referrer": "https://vk.com/", "more": [1]}', "VK", "social"),
    (b'{"referrer": "https://blog.example/' + b"x" * 1_000_000 + b'"}', "blog.example", "referral"),
    (b'{"url": "?utm_source=qr"}', "QR code", "printed-code"),
]


@pytest.mark.parametrize("ended", [b"\n", b""])
def test_a_line_for_each_line_in_order(tmp_path: Path, ended: bytes) -> None:
    done = typed(tmp_path, "sources", "classify", given=b"\n".join(line for line, _, _ in LINES) + ended)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert [(each["label"], each["rule"]) for each in found] == [(label, rule) for _, label, rule in LINES]
    assert all(list(each) == KEYS for each in found)
    assert found[0] == {
        "label": "Google Paid", "channel": "Paid Search", "source": "google", "medium": "cpc", "campaign": None,
        "content": None, "keyword": None, "click_id": "x", "click_id_type": "gclid", "rule": "ad-click",
    }  # fmt: skip


def test_nothing_in_nothing_out(tmp_path: Path) -> None:
    assert typed(tmp_path, "sources", "classify").stdout == b""


def test_noise_of_every_kind_keeps_count() -> None:
    chosen = random.Random(4)
    pieces = [line for line, _, _ in LINES if len(line) < 200]
    lines = []
    for _ in range(3000):
        line = bytearray(chosen.choice(pieces))
        for _ in range(chosen.randrange(4)):
            at = chosen.randrange(len(line) + 1)
            line[at : at + chosen.randrange(3)] = bytes([chosen.randrange(256)])
        lines.append(bytes(line).replace(b"\n", b" "))
    found = list(classified_lines(lines, default_classifier()))
    assert len(found) == len(lines)
    for answer in found:
        assert answer.endswith(b"\n")
        assert answer.count(b"\n") == 1
        assert json.loads(answer)["label"]


def test_rules_of_a_file(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        'extends = "default"\nversion = "1"\n[[rules]]\nname = "mine"\n'
        'when = { referrer = ["partner.example"] }\nthen = { label = "Partner" }\nwhy = "Since May."\n'
    )
    assert b"can be used: version 1" in typed(tmp_path, "sources", "rules", "check", "own.toml").stdout
    line = b'{"referrer": "https://www.partner.example/"}'
    said = typed(tmp_path, "sources", "classify", "--rules", "own.toml", given=line)
    assert json.loads(said.stdout)["label"] == "Partner"
    shown = typed(tmp_path, "sources", "rules", "show", "--rules", "own.toml").stdout.decode()
    assert shown.index("partner.example") < shown.index("google-maps-host")
    assert "Since May." in shown

    stored = tmp_path / "stored.json"
    stored.write_bytes(typed(tmp_path, "sources", "rules", "show", "--json", "--rules", "own.toml").stdout)
    again = typed(tmp_path, "sources", "classify", "--rules", "stored.json", given=line)
    assert again.stdout == said.stdout


def test_a_bad_file_says_what_to_mend(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('extends = "default"\nversion = "1"\n[[rules]]\nname = "mine"\nthen = { lable = "X" }\n')
    done = typed(tmp_path, "sources", "rules", "check", "bad.toml")
    assert done.returncode == 1
    assert b"rule 'mine': then.lable is no field here" in done.stderr
    assert b"Traceback" not in done.stderr
    bad.write_bytes(b"\xff\xfe")
    assert b"is not text in UTF-8" in typed(tmp_path, "sources", "rules", "check", "bad.toml").stderr


def test_the_command_says_what_the_function_says(tmp_path: Path) -> None:
    visits = [
        ("https://a.example/?utm_source=x&utm_medium=cpc&utm_campaign=%D0%B0&utm_content=c&utm_term=t", ""),
        ("https://a.example/", "https://yandex.ru/search/?text=roof"),
    ]
    given = "".join(json.dumps({"url": url, "referrer": referrer}) + "\n" for url, referrer in visits).encode()
    for line, (url, referrer) in zip(
        typed(tmp_path, "sources", "classify", given=given).stdout.splitlines(), visits, strict=True
    ):
        decision = classify(url, referrer)
        assert json.loads(line) == {key: getattr(decision.source, key) for key in KEYS[:-1]} | {"rule": decision.rule}
