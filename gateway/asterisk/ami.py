"""The link to one Asterisk's manager interface (AMI): the only module that knows panoramisk.

Panoramisk gives actions their ids, collects answers and lists, and reads messages. What it leaves open is closed
here: text is cut into messages as bytes (a letter split between two TCP segments stays whole), CR and LF never get
into an action, an action that Asterisk would drop for its length is refused, our own events are taken in order and
read from raw text (events.py), a lost connection ends the link instead of re-sending actions, and nothing that a
handler raises closes it.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import structlog
from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.message import Message

# Asterisk drops an input line beyond 1,015 bytes (tried on 22.10) and its error names no action.
MAX_LINE_BYTES = 1000
# What a peer may send without an end of message before it cannot be Asterisk any more.
MAX_MESSAGE_BYTES = 1 << 20
CONNECT_SECONDS = 4.0
ANSWER_SECONDS = 2.0
# Lists of 10,000 numbers take about a second; an Asterisk that hangs is noticed by the other link.
LIST_SECONDS = 30.0

EventHandler = Callable[[bytes], None]
_log = structlog.get_logger(__name__)


class AmiError(Exception):
    """The root of what can go wrong on the link.

    AmiError
    ├── LinkLost
    ├── LoginRefused
    ├── ActionFailed
    └── NeedsPerson
    """


class LinkLost(AmiError):
    """The connection to Asterisk is gone, or it does not answer."""


class LoginRefused(AmiError):
    """Asterisk refused our name or secret."""


class ActionFailed(AmiError):
    """Asterisk answered an action with an error."""


class NeedsPerson(AmiError):
    """Something about this Asterisk must be changed by hand; the message says what to type."""


def tls_context(authority: Path | None) -> ssl.SSLContext:
    """How a connection over TLS is checked: by ``authority``, else by the system's. Raises NeedsPerson."""
    try:
        return ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise NeedsPerson(f"tls_ca: {authority} cannot be read as certificates ({error}); name a PEM file") from None


def checked_fields(fields: Mapping[str, str]) -> dict[str, str]:
    """``fields`` of an action, made safe to send.

    Raises ValueError for a line break or NUL in a value, which would start another action, and for a line too long.
    """
    for name, value in fields.items():
        if any(character in value for character in "\r\n\0"):
            raise ValueError(f"{name} of an AMI action contains a line break")
        if len(name.encode()) + 2 + len(value.encode()) > MAX_LINE_BYTES:
            raise ValueError(f"{name} of an AMI action is longer than Asterisk reads ({MAX_LINE_BYTES} bytes)")
    return dict(fields)


class _Protocol(AMIProtocol):  # type: ignore[misc]
    """Panoramisk's protocol, reading bytes."""

    encoding = "utf-8"

    def __init__(self, on_event: EventHandler) -> None:
        self._on_event = on_event
        self._unread = bytearray()
        self._seen_banner = False
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self._unread += data
        if not self._seen_banner:
            banner, end, rest = self._unread.partition(b"\r\n")
            if not end:
                return
            self._seen_banner = True
            if not banner.startswith(b"Asterisk Call Manager/"):
                self.transport.abort()
                return
            self._unread = bytearray(rest)
        if len(self._unread) > MAX_MESSAGE_BYTES and b"\r\n\r\n" not in self._unread:
            self.transport.abort()
            return
        *blocks, rest = self._unread.split(b"\r\n\r\n")
        self._unread = bytearray(rest)
        for block in blocks:
            try:
                self._take(bytes(block).lstrip(b"\r\n"))
            except Exception:
                _log.exception("a message from Asterisk could not be handled")

    def _take(self, block: bytes) -> None:
        # Entries of a list carry the id of the action that asked for them; a user event may carry anything.
        listed = b"\r\nActionID: " in block and not block.startswith(b"Event: UserEvent\r\n")
        if block.startswith(b"Event: ") and not listed:
            self._on_event(block)
            return
        message = Message.from_line(block.decode("utf-8", "replace"))
        if message is not None:
            self._answer(message)

    def _answer(self, message: Message) -> None:
        action = self.responses.get(message.id)
        if action is not None and action.add_message(message):
            self.responses.pop(action.id, None)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if not self.lost.done():
            self.lost.set_result(None)
        for action in self.responses.values():
            if not action.future.done():
                action.future.set_exception(LinkLost("the connection to Asterisk was lost"))
                action.future.exception()  # nobody waits for the answers of send()
        self.responses.clear()


class AmiLink:
    """One logged-in connection. It ends once, and is then replaced by a new one."""

    def __init__(self, protocol: _Protocol) -> None:
        self._protocol = protocol

    @classmethod
    async def connect(
        cls,
        host: str,
        port: int,
        username: str,
        secret: str,
        on_event: EventHandler,
        tls: ssl.SSLContext | None = None,
    ) -> "AmiLink":
        """Connect and log in; ``on_event`` gets every event's raw block, in order.

        Raises LinkLost where nothing answers, LoginRefused where Asterisk says no, NeedsPerson for a bad certificate.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, protocol = await loop.create_connection(lambda: _Protocol(on_event), host, port, ssl=tls)
        except ssl.SSLCertVerificationError as error:
            raise NeedsPerson(
                f"the certificate of {host}:{port} is not trusted ({error.verify_message}); set tls_ca to the "
                "authority that signed it, and host to a name that it is for"
            ) from None
        except (OSError, TimeoutError) as error:
            raise LinkLost(f"no answer from {host}:{port} ({error or 'timed out'})") from None
        link = cls(protocol)
        try:
            await link.action("Login", Username=username, Secret=secret)
        except ActionFailed as error:
            link.close()
            raise LoginRefused(str(error)) from None
        except BaseException:
            link.close()
            raise
        return link

    def send(self, *actions: tuple[str, Mapping[str, str]]) -> list[Action]:
        """Write several actions at once, without waiting for their answers. Raises LinkLost, ValueError."""
        if self._protocol.closed:
            raise LinkLost("the connection to Asterisk is closed")
        # Panoramisk would wait for the event that follows an Originate, which our accounts do not hear.
        made = [
            Action({"Action": name, **checked_fields(fields)}, as_list=False if name == "Originate" else None)
            for name, fields in actions
        ]
        for action in made:
            self._protocol.responses[action.id] = action
        self._protocol.transport.write("".join(str(action) for action in made).encode())
        return made

    async def action(self, name: str, **fields: str) -> Message:
        """Do one action and return its answer. Raises LinkLost, ActionFailed (Asterisk's own words), ValueError."""
        (answer,) = await self.actions((name, fields))
        return answer

    async def actions(self, *actions: tuple[str, Mapping[str, str]]) -> list[Message]:
        """Do several actions at once; their answers, in order. Raises as ``action`` does."""
        found: list[Message] = []
        for action in self.send(*actions):
            answers = await self._answered(action)
            answer: Message = answers[0] if isinstance(answers, list) else answers
            if not answer.success:
                raise ActionFailed(f"{action['action']}: {answer.message or answer.response}")
            found.append(answer)
        return found

    async def listing(self, name: str, **fields: str) -> list[Message]:
        """The entries of an action that answers with a list; none where Asterisk says there are none."""
        (action,) = self.send((name, fields))
        answers = await self._answered(action, LIST_SECONDS)
        if not isinstance(answers, list):
            if not answers.success and "not found" not in str(answers.message).lower():
                raise ActionFailed(f"{name}: {answers.message}")
            return []
        return answers[1:-1]

    async def _answered(self, action: Action, seconds: float = ANSWER_SECONDS) -> Any:
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(action.future)
        except TimeoutError:
            self.close()
            raise LinkLost(f"no answer within {seconds:g} s") from None
        finally:
            self._protocol.responses.pop(action.id, None)

    @property
    def closed(self) -> bool:
        return self._protocol.closed

    async def wait_closed(self) -> None:
        """Return once the connection is gone, whoever ended it."""
        await asyncio.shield(self._protocol.lost)

    def close(self) -> None:
        """End the connection at once."""
        self._protocol.closed = True
        self._protocol.transport.abort()
