"""What a hangup cause means: ITU-T Q.850, table 1, in words an owner can read."""


def N_(text: str) -> str:
    """Marks text for the catalogue; it is translated where it is shown."""
    return text


MEANINGS: dict[int, str] = {
    0: N_("no cause was given"),
    1: N_("the number is not in use"),
    2: N_("no route to the network"),
    3: N_("no route to the destination"),
    16: N_("normal end of a call"),
    17: N_("the line was busy"),
    18: N_("the telephone did not respond"),
    19: N_("it rang, and nobody answered"),
    20: N_("the telephone is not registered"),
    21: N_("the call was refused"),
    22: N_("the number has changed"),
    26: N_("answered elsewhere"),
    27: N_("the destination is out of order"),
    28: N_("the number is not complete"),
    29: N_("the feature was refused"),
    31: N_("normal, unspecified"),
    34: N_("no line was free"),
    38: N_("the network is out of order"),
    41: N_("a temporary failure of the network"),
    42: N_("the network is overloaded"),
    44: N_("the requested line is not available"),
    50: N_("the feature is not subscribed"),
    58: N_("the service is not available now"),
    65: N_("the service is not implemented"),
    88: N_("the two ends do not understand each other"),
    102: N_("a timer ran out"),
    111: N_("a protocol error"),
    127: N_("interworking with another network, unspecified"),
}


def meaning(cause: int | None) -> str:
    """The meaning in English, to be translated; of an unknown code, that it is unknown."""
    return MEANINGS.get(cause if cause is not None else 0, N_("a cause that the standard does not name"))
