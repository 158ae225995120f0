"""What is wrong, in words that can be said in another language: a text that remembers what it was made of."""

from collections.abc import Callable


def N_(text: str) -> str:
    """Marks a text for the catalogues; it is translated where it is shown."""
    return text


class Fault(str):
    """A sentence, or a part of one, in English. ``template`` has the places ``%(name)s`` that ``values`` fill."""

    template: str
    values: dict[str, object]

    def in_words(self, translated: Callable[[str], str]) -> str:
        """The same in the language that ``translated`` finds texts in."""
        values = {
            name: value.in_words(translated) if isinstance(value, Fault) else value
            for name, value in self.values.items()
        }
        return translated(self.template) % values


def say(template: str, **values: object) -> Fault:
    """A fault; ``values`` may be faults themselves, such as where it is."""
    fault = Fault(template % values)
    fault.template, fault.values = template, values
    return fault
