"""Servers on this machine that behave as the REST API documentation of GitHub and GitLab says."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-secret"
FORBIDDEN = {"message": "Resource not accessible by integration"}


@dataclass
class Trouble:
    """An answer given once instead of the real one; with `happens`, the call is carried out all the same."""

    method: str
    path: str
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    happens: bool = False


class Server:
    """What both services have in common: pages, tokens, planned troubles, a record of all calls."""

    page_size = 2

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.troubles: list[Trouble] = []
        self.is_read_only = False
        self.url = ""
        self._number = 0

    def number(self) -> int:
        self._number += 1
        return self._number

    def is_known(self, headers: Any) -> bool:
        raise NotImplementedError

    def answer(self, method: str, path: str, value: Any) -> tuple[int, Any]:
        raise NotImplementedError

    def writes(self) -> list[str]:
        """Methods and paths of the calls that changed something, without identifying numbers."""
        return [f"{m} {re.sub(r'/[0-9]+', '/N', p)}" for m, p in self.calls if m != "GET"]

    def handle(self, method: str, address: str, headers: Any, value: Any) -> tuple[int, dict[str, str], Any]:
        parts = urlsplit(address)
        self.calls.append((method, parts.path))
        for trouble in self.troubles:
            if trouble.method == method and parts.path.endswith(trouble.path):
                self.troubles.remove(trouble)
                if trouble.happens:
                    self.answer(method, parts.path, value)
                return trouble.status, trouble.headers, trouble.body
        if not self.is_known(headers):
            return 401, {}, {"message": "Bad credentials"}
        if method != "GET" and self.is_read_only:
            return 403, {"x-ratelimit-remaining": "4000"}, FORBIDDEN
        status, found = self.answer(method, parts.path, value)
        if method == "GET" and isinstance(found, list):
            return self._page(parts.path, parse_qs(parts.query), found)
        return status, {}, found

    def _page(
        self, path: str, query: dict[str, list[str]], found: list[Any]
    ) -> tuple[int, dict[str, str], list[Any]]:
        page = int(query.get("page", ["1"])[0])
        size = min(int(query.get("per_page", ["30"])[0]), self.page_size)
        last = max(-(-len(found) // size), 1)
        links = {"next": page + 1, "last": last} if page < last else {}
        if page > 1:
            links = {"prev": page - 1, "first": 1, **links}
        header = ", ".join(
            f'<{self.url}{path}?per_page={size}&page={number}>; rel="{name}"'
            for name, number in links.items()
        )
        return 200, {"Link": header} if header else {}, found[(page - 1) * size : page * size]


class GitHubServer(Server):
    """Pull request 7 of `acme/app`, whose diff shows the lines in `shown`."""

    def __init__(self, shown: dict[str, set[int]]) -> None:
        super().__init__()
        self.shown = shown
        self.reviews: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []

    def is_known(self, headers: Any) -> bool:
        return bool(headers["Authorization"] == f"Bearer {TOKEN}")

    def answer(self, method: str, path: str, value: Any) -> tuple[int, Any]:
        pull = "/repos/acme/app/pulls/7"
        if path == "/user":
            return 403, FORBIDDEN
        if path == f"{pull}/reviews" and method == "GET":
            return 200, self.reviews
        if path == f"{pull}/comments" and method == "GET":
            return 200, self.comments
        if path == f"{pull}/reviews" and method == "POST":
            return self._review(value)
        if path == f"{pull}/comments" and method == "POST":
            if not value.get("commit_id") or not self._fits(value):
                return 422, _invalid("pull_request_review_thread.line must be part of the diff")
            return 201, self._add(value)
        if match := re.fullmatch(rf"{pull}/reviews/(\d+)", path):
            return self._edit(self.reviews, int(match[1]), value) if method == "PUT" else (405, None)
        if match := re.fullmatch(r"/repos/acme/app/pulls/comments/(\d+)", path):
            return self._edit(self.comments, int(match[1]), value) if method == "PATCH" else (405, None)
        return 404, {"message": "Not Found"}

    def _review(self, value: dict[str, Any]) -> tuple[int, Any]:
        if value.get("event") != "COMMENT" or not value.get("body"):
            return 422, _invalid("body can't be blank")
        if not all(self._fits(comment) for comment in value.get("comments", [])):
            return 422, {"message": "Unprocessable Entity", "errors": ["Line could not be resolved"]}
        for comment in value.get("comments", []):
            self._add(comment)
        self.reviews.append({"id": self.number(), "body": _stored(value["body"]), "user": _BOT})
        return 200, self.reviews[-1]

    def _fits(self, comment: dict[str, Any]) -> bool:
        first = comment.get("start_line", comment["line"])
        lines = set(range(first, comment["line"] + 1))
        is_range = "start_line" not in comment or (
            first < comment["line"] and comment.get("start_side") == "RIGHT"
        )
        return is_range and comment.get("side") == "RIGHT" and lines <= self.shown.get(comment["path"], set())

    def _add(self, comment: dict[str, Any]) -> dict[str, Any]:
        entry = {**comment, "id": self.number(), "body": _stored(comment["body"]), "user": _BOT}
        self.comments.append(entry)
        return entry

    def _edit(self, entries: list[dict[str, Any]], number: int, value: dict[str, Any]) -> tuple[int, Any]:
        for entry in entries:
            if entry["id"] == number:
                entry["body"] = _stored(value["body"])
                return 200, entry
        return 404, {"message": "Not Found"}


class GitLabServer(Server):
    """Merge request 3 of project 42, whose diff shows the lines in `shown`: (old, new), None on the side without."""

    def __init__(self, shown: dict[str, set[tuple[int | None, int | None]]]) -> None:
        super().__init__()
        self.shown = shown
        self.discussions: list[dict[str, Any]] = []

    def is_known(self, headers: Any) -> bool:
        return bool(headers["PRIVATE-TOKEN"] == TOKEN)

    def answer(self, method: str, path: str, value: Any) -> tuple[int, Any]:
        request = "/api/v4/projects/42/merge_requests/3"
        if path == "/api/v4/user":
            return 200, {"id": 99}
        if path == f"{request}/versions":
            newest = {"base_commit_sha": "b1", "start_commit_sha": "s1", "head_commit_sha": "h1"}
            return 200, [newest, {"base_commit_sha": "b0", "start_commit_sha": "s0", "head_commit_sha": "h0"}]
        if path == f"{request}/discussions" and method == "GET":
            return 200, self.discussions
        if path == f"{request}/discussions" and method == "POST":
            position = value["position"]
            wanted = {"base_sha": "b1", "start_sha": "s1", "head_sha": "h1", "position_type": "text"}
            place = (position.get("old_line"), position.get("new_line"))
            if wanted.items() - position.items() or place not in self.shown.get(position["new_path"], set()):
                return 400, {"message": '400 Bad request - Note {:line_code=>["must be a valid line code"]}'}
            return 201, self._add(value["body"], resolvable=True, position=position)
        if path == f"{request}/notes" and method == "POST":
            return 201, self._add(value["body"], resolvable=False)
        if match := re.fullmatch(rf"{request}/discussions/(\d+)(?:/notes/(\d+))?", path):
            for discussion in self.discussions:
                if discussion["id"] == match[1] and method == "PUT":
                    for note in discussion["notes"]:
                        if match[2] is None:
                            note["resolved"] = value["resolved"]
                        elif note["id"] == int(match[2]):
                            note["body"] = value["body"]
                    return 200, discussion
        return 404, {"message": "404 Not found"}

    def _add(self, body: str, **more: Any) -> dict[str, Any]:
        note = {"id": self.number(), "body": body, "author": {"id": 99}, "resolved": False, **more}
        self.discussions.append({"id": str(self.number()), "notes": [note]})
        return self.discussions[-1]


_BOT = {"login": "github-actions[bot]", "type": "Bot"}


def _stored(body: str) -> str:
    return body.replace("\n", "\r\n")


def _invalid(message: str) -> dict[str, Any]:
    return {
        "message": "Validation Failed",
        "errors": [{"resource": "PullRequestReviewComment", "message": message}],
    }


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """Lets a server listen on 127.0.0.1 and sets its `url`."""

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            value = json.loads(self.rfile.read(length)) if length else None
            status, headers, body = server.handle(self.command, self.path, self.headers, value)
            if status == 0:
                self.close_connection = True
                return  # the connection breaks without an answer
            data = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            for name, text in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = _handle  # noqa: N815  named by the standard library

        def log_message(self, *_: Any) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
