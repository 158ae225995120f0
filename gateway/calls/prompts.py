"""What is said to whoever answers, before a key is waited for, in the languages it is written in."""

from enum import StrEnum

from gateway.calls.speech import Words


class Prompt(StrEnum):
    """What is said."""

    PRESS_ONE = "press_one"
    AFTER_CALL = "after_call"
    THANKS = "thanks"


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
    Prompt.AFTER_CALL: {
        "en": "1 booked. 2 quote. 3 spam.",
        "ru": "1: заказ. 2: смета. 3: спам.",
        "uk": "1: замовлення. 2: кошторис. 3: спам.",
        "de": "1: Auftrag. 2: Angebot. 3: Spam.",
        "fr": "1, réservé. 2, devis. 3, indésirable.",
        "es": "1, reservado. 2, presupuesto. 3, spam.",
        "it": "1, prenotato. 2, preventivo. 3, spam.",
        "pt": "1, marcado. 2, orçamento. 3, spam.",
        "nl": "1, geboekt. 2, offerte. 3, spam.",
        "pl": "1, zamówienie. 2, wycena. 3, spam.",
    },
    Prompt.THANKS: {
        "en": "Thank you.",
        "ru": "Спасибо.",
        "uk": "Дякую.",
        "de": "Danke.",
        "fr": "Merci.",
        "es": "Gracias.",
        "it": "Grazie.",
        "pt": "Obrigado.",
        "nl": "Dank u.",
        "pl": "Dziękuję.",
    },
}


def words_of(prompt: Prompt, language: str) -> Words:
    """``prompt`` in ``language`` (``pt-br``), or in English where it is not written in it."""
    texts = _TEXTS[prompt]
    first = language.partition("-")[0]
    return Words(texts[first], language) if first in texts else Words(texts["en"], "en")
