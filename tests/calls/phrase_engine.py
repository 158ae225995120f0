"""An engine that speaks each phrase in a tone of its own, so that a test can tell by ear which one was said."""

import io
import sys

from tests.calls import tone_engine

RECORDED, PRESS_ONE, SHOW_NUMBER, ALL_BUSY = 1100, 1500, 1900, 2300

if __name__ == "__main__":
    words = sys.stdin.read()
    if "Gespräch" in words:
        sys.exit("no voice for German")
    sys.stdin = io.StringIO(words)
    tone_engine.TONES = (("recorded", RECORDED), ("press 1", PRESS_ONE), ("show", SHOW_NUMBER), ("", ALL_BUSY))
    tone_engine.main()
