"""HTTP connections to one server: kept open, shared by threads, tried again where that may help."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection, IncompleteRead
from typing import Any
from urllib.parse import SplitResult, urlsplit

from promptkit.errors import GenerationError
from promptkit.generate.server import ServerModel
from promptkit.version import __version__

__all__ = ["FIRST_DELAY_S", "Answer", "Line", "tries"]

CONNECT_S = 10.0  # how long a connection may take to come about
FIRST_DELAY_S = 0.5  # before the second try; each further delay is twice the one before
MAX_DELAY_S = 600.0  # the longest delay, also where the server asks for a longer one
TRANSIENT = {408, 429, *range(500, 600)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back over HTTP, at last, and after how many tries."""

    status: int
    body: bytes
    retry_after: str | None
    num_tries: int


class Line:
    """Connections to one server, kept open from request to request; threads share them."""

    def __init__(self, declared: ServerModel, api_key: str | None, first_delay_s: float) -> None:
        self.declared = declared
        self.url = f"{declared.base_url}/completions"
        self.first_delay_s = first_delay_s
        self._headers = {"Content-Type": "application/json", "User-Agent": f"promptkit/{__version__}"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._lock = threading.Lock()
        self._idle: list[HTTPConnection] = []
        self._busy: set[HTTPConnection] = set()
        self._is_over = threading.Event()
        self._is_closed = False

    def post(self, body: Mapping[str, Any]) -> Answer:
        """The server's last word: an answer of any status, after trying again where that may help.

        Raises `GenerationError` where no answer came.
        """
        sent, num_tries, delay_s = json.dumps(body).encode(), 0, self.first_delay_s
        while True:
            num_tries += 1
            is_last = num_tries > self.declared.max_retries
            try:
                answer = self._send(sent, num_tries)
            except (OSError, HTTPException) as error:
                if is_last or self._is_over.wait(min(delay_s, MAX_DELAY_S)):
                    message = f"no answer from {self.url}: {reason(error)}{tries(num_tries)}"
                    raise GenerationError(message) from error
            else:
                asked_s = max(delay_s, asked_delay_s(answer.retry_after))
                if answer.status not in TRANSIENT or is_last or self._is_over.wait(min(asked_s, MAX_DELAY_S)):
                    return answer
            delay_s *= 2

    def _send(self, sent: bytes, num_tries: int) -> Answer:
        with self._borrowed() as connection:
            if connection.sock is None:
                connect(connection, self.declared.timeout_s)
                if self._is_closed:  # `hang_up` came before there was a socket to shut
                    raise ConnectionAbortedError("stopped")
            connection.request("POST", urlsplit(self.url).path, body=sent, headers=self._headers)
            with connection.getresponse() as response:
                body = response.read()
            if response.status != 200:
                connection.close()  # it may be gone by the next try
            asked = response.getheader("Retry-After")
            return Answer(status=response.status, body=body, retry_after=asked, num_tries=num_tries)

    @contextmanager
    def _borrowed(self) -> Iterator[HTTPConnection]:
        """A connection for one request, opened or not."""
        with self._lock:
            if self._is_closed:
                raise ConnectionAbortedError("stopped")
            connection = self._idle.pop() if self._idle else new_connection(urlsplit(self.url))
            self._busy.add(connection)
        is_sound = False
        try:
            yield connection
            is_sound = True
        finally:
            with self._lock:
                self._busy.discard(connection)
                if is_sound and not self._is_closed:
                    self._idle.append(connection)
                else:
                    connection.close()

    def give_up(self) -> None:
        """Lets what is on its way come back, but tries nothing again."""
        self._is_over.set()

    def hang_up(self) -> None:
        """Ends everything at once: threads that wait for the server wake with an error."""
        self._is_over.set()
        with self._lock:
            self._is_closed = True
            for connection in self._idle:
                connection.close()
            for connection in self._busy:
                if connection.sock is not None:
                    with suppress(OSError):
                        connection.sock.shutdown(socket.SHUT_RDWR)


def new_connection(parts: SplitResult) -> HTTPConnection:
    """A connection to a server, not yet opened; straight to it, whatever proxy the environment names."""
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    assert parts.hostname is not None
    return kind(parts.hostname, parts.port, timeout=CONNECT_S)


def connect(connection: HTTPConnection, timeout_s: float) -> None:
    """Opens a connection, and sets how long it may be silent from now on."""
    connection.connect()
    connection.sock.settimeout(timeout_s)


def reason(error: Exception) -> str:
    """Why no answer came, in few words."""
    if isinstance(error, IncompleteRead):
        return "it hung up in the middle of its answer"
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(words).lower()


def asked_delay_s(retry_after: str | None) -> float:
    """The delay that a `Retry-After` header asks for, in seconds or as a date; 0 where it asks for none."""
    if not retry_after:
        return 0.0
    try:
        asked_s = float(retry_after)
    except ValueError:
        try:
            asked_s = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except ValueError:
            return 0.0
    return asked_s if asked_s > 0 else 0.0


def tries(number: int) -> str:
    """How often something was tried, for the end of a message."""
    return f" (tried {number} times)" if number > 1 else ""
