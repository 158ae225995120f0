"""How each carrier hands texts over and takes them: one module a carrier, all of one shape (``shape.Carrier``)."""

from collections.abc import Mapping

from gateway.texts.carriers.bandwidth import Bandwidth
from gateway.texts.carriers.general import General
from gateway.texts.carriers.plivo import Plivo
from gateway.texts.carriers.shape import Carrier, Kind
from gateway.texts.carriers.telnyx import Telnyx
from gateway.texts.carriers.twilio import SignalWire, Twilio
from gateway.texts.carriers.voipms import VoipMs
from gateway.texts.carriers.vonage import Vonage

CARRIERS: Mapping[Kind, Carrier] = {
    carrier.kind: carrier
    for carrier in (
        Twilio(),
        SignalWire(),
        Telnyx(),
        Plivo(),
        Vonage(),
        Bandwidth(),
        VoipMs(),
        General(),
    )
}
