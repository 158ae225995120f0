"""What is said to callers, in the languages it is written in; spoken by the engine of whispers."""

from gateway.calls.policy import Phrase
from gateway.calls.speech import Words

_TEXTS = {
    Phrase.RECORDED: {
        "en": "This call may be recorded.",
        "ru": "Разговор может быть записан.",
        "uk": "Розмову може бути записано.",
        "de": "Dieses Gespräch kann aufgezeichnet werden.",
        "fr": "Cet appel peut être enregistré.",
        "es": "Esta llamada puede ser grabada.",
        "it": "Questa chiamata può essere registrata.",
        "pt": "Esta chamada pode ser gravada.",
        "nl": "Dit gesprek kan worden opgenomen.",
        "pl": "Ta rozmowa może być nagrywana.",
    },
    Phrase.PRESS_ONE: {
        "en": "To be connected, press 1.",
        "ru": "Чтобы соединиться, нажмите 1.",
        "uk": "Щоб з'єднатися, натисніть 1.",
        "de": "Um verbunden zu werden, drücken Sie die 1.",
        "fr": "Pour être mis en relation, appuyez sur 1.",
        "es": "Para que le comuniquemos, pulse 1.",
        "it": "Per essere messi in comunicazione, premere 1.",
        "pt": "Para ser atendido, prima 1.",
        "nl": "Druk op 1 om te worden doorverbonden.",
        "pl": "Aby uzyskać połączenie, naciśnij 1.",
    },
    Phrase.SHOW_NUMBER: {
        "en": "We only take calls that show their number. Please show yours, and call again.",
        "ru": "Мы принимаем звонки только с определяемых номеров. Пожалуйста, включите показ номера и перезвоните.",
        "uk": "Ми приймаємо дзвінки лише з видимих номерів. Будь ласка, увімкніть показ номера і зателефонуйте ще раз.",
        "de": "Wir nehmen nur Anrufe mit Rufnummer an. Bitte rufen Sie mit sichtbarer Nummer noch einmal an.",
        "fr": "Nous ne prenons que les appels qui affichent leur numéro. Merci de rappeler avec un numéro visible.",
        "es": "Solo atendemos llamadas que muestran su número. Por favor, llame de nuevo con el número visible.",
        "it": "Rispondiamo solo a chiamate con numero visibile. Richiami mostrando il suo numero.",
        "pt": "Só atendemos chamadas com número visível. Por favor, volte a ligar mostrando o seu número.",
        "nl": "Wij nemen alleen oproepen met een zichtbaar nummer aan. Bel terug met uw nummer zichtbaar.",
        "pl": "Przyjmujemy tylko połączenia z widocznym numerem. Prosimy zadzwonić ponownie z widocznym numerem.",
    },
    Phrase.ALL_BUSY: {
        "en": "All our lines are busy. Please call again in a few minutes.",
        "ru": "Все линии заняты. Пожалуйста, перезвоните через несколько минут.",
        "uk": "Усі лінії зайняті. Будь ласка, зателефонуйте за кілька хвилин.",
        "de": "Alle Leitungen sind belegt. Bitte rufen Sie in ein paar Minuten noch einmal an.",
        "fr": "Toutes nos lignes sont occupées. Merci de rappeler dans quelques minutes.",
        "es": "Todas las líneas están ocupadas. Por favor, llame de nuevo en unos minutos.",
        "it": "Tutte le linee sono occupate. Richiami tra qualche minuto.",
        "pt": "Todas as linhas estão ocupadas. Por favor, volte a ligar dentro de alguns minutos.",
        "nl": "Al onze lijnen zijn bezet. Bel over een paar minuten terug.",
        "pl": "Wszystkie linie są zajęte. Prosimy zadzwonić za kilka minut.",
    },
}


def words_of(phrase: Phrase, language: str) -> Words:
    """``phrase`` in ``language`` (``pt-br``), or in English where it is not written in it."""
    texts = _TEXTS[phrase]
    first = language.partition("-")[0]
    return Words(texts[first], language) if first in texts else Words(texts["en"], "en")
