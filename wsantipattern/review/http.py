"""Calls to a REST API: pages, rate limits, failures.

Guarantees that the token goes to the one server it is for, that a read or a replacement which failed for a passing
reason is tried again after a growing pause, or after the one the server asks for, and that a creation whose fate is
unknown is not: that raises `UnsureError`, so that the caller looks first. Built on the standard library alone.
"""

from __future__ import annotations

import email.utils
import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

from wsantipattern.record import record

ATTEMPTS = 5
"""How often a call is made before it counts as failed."""

FIRST_PAUSE = 1.0
"""Seconds before the second attempt; each further pause is twice as long."""

LONGEST_PAUSE = 120.0
"""Seconds; a server that asks for more is not waited for."""

TIMEOUT = 30.0
"""Seconds for an answer."""

PAGE_LIMIT = 200
"""Pages that are read of one list."""

_TOO_MANY = 429
_FORBIDDEN = 403
_SERVER_ERRORS = range(500, 600)


class ServiceError(Exception):
    """A code review that cannot be told; the message is one line for the user."""


class RefusedError(Exception):
    """An answer that says no for good."""

    def __init__(self, status: int, message: str) -> None:
        """Takes the status code and what the server said."""
        super().__init__(message)
        self.status = status
        self.message = message


class UnsureError(Exception):
    """A creation that may or may not have happened; the message says what went wrong."""


@record(frozen=True, slots=True)
class Answer:
    """What a server said.

    Attributes:
        headers: by lower-case name.
        data: the decoded JSON; None for an empty body.
    """

    headers: Mapping[str, str]
    data: Any


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Lets a redirect be an answer: followed blindly, it would carry the token along."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        return None


class Client:
    """One server's API."""

    def __init__(self, url: str, headers: Mapping[str, str], say: Callable[[str], None]) -> None:
        """Takes the API's address, the headers of every call, and what tells the user of a pause."""
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ServiceError(f"{url} is no address of an API")
        self._url = url.rstrip("/")
        self._origin = (parts.scheme, parts.netloc)
        self._headers = headers
        self._say = say
        self._opener = urllib.request.build_opener(_NoRedirects)

    def get(self, path: str) -> Answer:
        """Reads something; `path` is below the API's address, or a whole address on the same server."""
        return self._call("GET", path, None)

    def put(self, path: str, value: object) -> Answer:
        """Replaces something."""
        return self._call("PUT", path, value)

    def patch(self, path: str, value: object) -> Answer:
        """Changes something to given values."""
        return self._call("PATCH", path, value)

    def post(self, path: str, value: object) -> Answer:
        """Creates something.

        Raises:
            UnsureError: nobody knows whether it was created.
        """
        return self._call("POST", path, value)

    def all(self, path: str) -> Iterator[Any]:
        """The entries of a list, page by page."""
        address: str | None = f"{path}{'&' if '?' in path else '?'}per_page=100"
        for _ in range(PAGE_LIMIT):
            if address is None:
                return
            answer = self.get(address)
            if not isinstance(answer.data, list):
                raise ServiceError(f"{self._where(address)}: the server sent no list")
            yield from answer.data
            address = next_page(answer.headers.get("link", ""))
        if address is not None:
            raise ServiceError(f"{self._where(path)}: more than {PAGE_LIMIT} pages")

    def _call(self, method: str, path: str, value: object) -> Answer:
        address = self._where(path)
        pause = FIRST_PAUSE
        for attempt in range(1, ATTEMPTS + 1):
            wait: float | None
            try:
                return self._once(method, address, value)
            except urllib.error.HTTPError as error:
                with error:
                    headers = {name.lower(): text for name, text in error.headers.items()}
                    message = _message(error)
                if not _is_passing(error.code, headers, message):
                    raise RefusedError(error.code, message) from None
                reason = f"{error.code} {message}"
                wait = _asked_pause(headers)
                is_unsure = error.code in _SERVER_ERRORS
            except (OSError, http.client.HTTPException) as error:
                # An answer that broke off is as good as none; URLError is an OSError.
                cause = getattr(error, "reason", error)
                reason = " ".join(str(cause).split()) or type(cause).__name__
                wait, is_unsure = None, True
            if is_unsure and method == "POST":
                raise UnsureError(f"{address}: {reason}")
            if wait is None:
                wait = pause
                pause *= 2
            if attempt == ATTEMPTS or wait > LONGEST_PAUSE:
                asked = f"; it asks to wait {wait:.0f} s" if wait > LONGEST_PAUSE else ""
                raise ServiceError(f"{address}: {reason}{asked}")
            if wait >= FIRST_PAUSE:
                self._say(f"{address}: {reason}; trying again in {wait:.0f} s")
            time.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def pause(self, attempt: int) -> None:
        """Waits before something is looked up and tried again; `attempt` counts from 1."""
        time.sleep(FIRST_PAUSE * 2.0 ** (attempt - 1))

    def _once(self, method: str, address: str, value: object) -> Answer:
        # A file name that is no UTF-8 holds lone surrogates, which no server takes.
        data = None if value is None else json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
        request = urllib.request.Request(address, data=data, method=method)
        for name, text in self._headers.items():
            request.add_unredirected_header(name, text)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        with self._opener.open(request, timeout=TIMEOUT) as response:
            body = response.read()
            headers = {name.lower(): text for name, text in response.headers.items()}
        try:
            return Answer(headers, json.loads(body) if body.strip() else None)
        except ValueError:
            raise ServiceError(f"{address}: the server did not send JSON") from None

    def _where(self, path: str) -> str:
        address = path if "://" in path else f"{self._url}/{path.lstrip('/')}"
        parts = urllib.parse.urlsplit(address)
        if (parts.scheme, parts.netloc) != self._origin:
            raise ServiceError(
                f"{address} is on another server than {self._url}; the token is not sent there"
            )
        return address


def next_page(link: str) -> str | None:
    """The address that a Link header calls the next one, or None."""
    for part in link.split(","):
        address, *parameters = part.split(";")
        names = (parameter.strip().replace('"', "").lower() for parameter in parameters)
        if "rel=next" in names:
            return address.strip().removeprefix("<").removesuffix(">")
    return None


def _is_passing(status: int, headers: Mapping[str, str], message: str) -> bool:
    """Whether a refusal may be over soon: a rate limit or trouble of the server."""
    if status == _TOO_MANY or status in _SERVER_ERRORS:
        return True
    if status != _FORBIDDEN:
        return False
    limited = headers.get("x-ratelimit-remaining") == "0" or "rate limit" in message.lower()
    return limited or "retry-after" in headers


def _asked_pause(headers: Mapping[str, str]) -> float | None:
    """The seconds that a server asks to wait, or None."""
    after = headers.get("retry-after", "").strip()
    if after.isdigit():
        return float(after)
    if after:
        try:
            return max(email.utils.parsedate_to_datetime(after).timestamp() - time.time(), 0.0)
        except ValueError:
            return None  # unreadable: the usual pause is as good
    reset = headers.get("x-ratelimit-reset", headers.get("ratelimit-reset", ""))
    remaining = headers.get("x-ratelimit-remaining", headers.get("ratelimit-remaining"))
    if remaining == "0" and reset.isdigit():
        return max(float(reset) - time.time(), 0.0)
    return None


def _message(error: urllib.error.HTTPError) -> str:
    """What a refusal says, as one line."""
    try:
        body = error.read()
    except (OSError, http.client.HTTPException):
        body = b""
    try:
        data = json.loads(body)
    except ValueError:
        data = None
    if isinstance(data, dict):
        said = [str(data[key]) for key in ("message", "error", "error_description") if data.get(key)]
        details = data.get("errors")
        said += [entry if isinstance(entry, str) else json.dumps(entry) for entry in details or [] if entry]
        if said:
            return " ".join(": ".join(said).split())
    return " ".join(str(error.reason).split())
