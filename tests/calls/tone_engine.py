"""An engine that speaks in tones, so that a test can tell by ear which words were said: keyword, campaign or source."""

import math
import struct
import sys

RATE, SECONDS = 22_050, 1.2
# By what the words hold, the most telling first.
TONES = (("emergency roof repair", 1300), ("spring", 1700), ("Google Paid", 2100), ("", 900))


def main() -> None:
    """Read words, write a WAV."""
    words = sys.stdin.read()
    hertz = next(hertz for holds, hertz in TONES if holds in words)
    samples = [int(12000 * math.sin(2 * math.pi * hertz * at / RATE)) for at in range(int(RATE * SECONDS))]
    data = struct.pack(f"<{len(samples)}h", *samples)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16)
    head = struct.pack("<4sI4s", b"RIFF", 4 + len(form) + 8 + len(data), b"WAVE")
    sys.stdout.buffer.write(head + form + struct.pack("<4sI", b"data", len(data)) + data)


if __name__ == "__main__":
    main()
