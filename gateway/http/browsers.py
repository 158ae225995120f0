"""Browsers as people know them, by the user agent (``ua-parser``)."""

from ua_parser import parse_device, parse_os, parse_user_agent

from gateway.http.words import Words

_LONGEST = 300


def browser_of(user_agent: str, words: Words) -> str:
    """Firefox on Windows; iPhone or Android telephones by their name."""
    text = user_agent[:_LONGEST]
    browser, system, device = parse_user_agent(text), parse_os(text), parse_device(text)
    name = browser.family if browser else ""
    where = system.family if system else ""
    if device and device.brand and device.family not in ("Other", "Mac"):
        where = device.family
    if name and where:
        return words.say("%(browser)s on %(system)s") % {"browser": name, "system": where}
    return name or where or words.say("A program that does not say its name")
