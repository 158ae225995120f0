"""What is said to whoever answers, before a key is waited for, in the languages it is written in."""

from enum import StrEnum

from gateway.calls.speech import Words


class Prompt(StrEnum):
    """What is said."""

    PRESS_ONE = "press_one"


_TEXTS = {
    Prompt.PRESS_ONE: {
        "en": "Press 1 to take this call.",
        "ru": "Чтобы принять звонок, нажмите 1.",
        "uk": "Щоб прийняти дзвінок, натисніть 1.",
        "de": "Drücken Sie die 1, um das Gespräch anzunehmen.",
        "fr": "Appuyez sur 1 pour prendre l'appel.",
        "es": "Pulse 1 para atender la llamada.",
        "it": "Premere 1 per rispondere.",
        "pt": "Prima 1 para atender a chamada.",
        "nl": "Druk op 1 om het gesprek aan te nemen.",
        "pl": "Naciśnij 1, aby odebrać połączenie.",
    },
}


def words_of(prompt: Prompt, language: str) -> Words:
    """``prompt`` in ``language`` (``pt-br``), or in English where it is not written in it."""
    texts = _TEXTS[prompt]
    first = language.partition("-")[0]
    return Words(texts[first], language) if first in texts else Words(texts["en"], "en")
