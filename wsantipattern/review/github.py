"""A review in a pull request on GitHub, through its REST API.

Its own earlier comments are known by a hidden line and by their author; they are changed, never repeated. The first
review keeps the summary, which always says the present state; later ones carry only comments that were not there
yet. Nothing of anybody else is touched, nothing is resolved or deleted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from wsantipattern import __version__
from wsantipattern.finding import Report
from wsantipattern.report import RenderContext
from wsantipattern.report.comment import (
    FURTHER,
    SUMMARY,
    Comment,
    body,
    comments,
    marked,
    marker,
    no_longer,
    summary_body,
)
from wsantipattern.report.github_review import comment_object
from wsantipattern.review.http import Client, RefusedError, ServiceError, UnsureError
from wsantipattern.review.service import needed
from wsantipattern.source import reason

COMMENT_LIMIT = 50
"""New comments in one run; what is beyond stands in the summary."""

TRIES = 3
"""How often a creation of unknown fate is looked up and tried again."""

_NOT_IN_DIFF = (404, 422)
_NO_ACCESS = (401, 403, 404)


class GitHub:
    """The pull request that a job of GitHub Actions runs for; see `service.Service`."""

    def __init__(self, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
        """Reads the job's environment.

        Raises:
            ServiceError: it is not that of a pull request, or something is missing.
        """
        token = environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN")
        if not token:
            raise ServiceError("--post needs the token of the job: env: GITHUB_TOKEN: ${{ github.token }}")
        pull = _pull_request(needed(environment, "GITHUB_EVENT_PATH"))
        repository = quote(needed(environment, "GITHUB_REPOSITORY"))
        self._pull = f"repos/{repository}/pulls/{int(pull['number'])}"
        self._comments = f"repos/{repository}/pulls/comments"
        self._head = _text(pull, "head", "sha")
        branch = _text(pull, "base", "ref") or environment.get("GITHUB_BASE_REF", "")
        names = (_text(pull, "base", "sha"), f"refs/remotes/origin/{branch}" if branch else "", branch)
        self.bases: tuple[str, ...] = tuple(name for name in names if name)
        self.heads: tuple[str, ...] = (self._head,) if self._head else ()
        self._say = say
        self._login: str | None = None
        self._client = Client(
            environment.get("GITHUB_API_URL") or "https://api.github.com",
            {
                "Authorization": f"Bearer {token}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
                "User-Agent": f"wsantipattern/{__version__}",
            },
            say,
        )

    def post(self, report: Report, context: RenderContext) -> None:
        """See `service.Service`."""
        for attempt in range(1, TRIES + 1):
            try:
                self._post(report, context)
            except UnsureError as error:
                if attempt == TRIES:
                    raise ServiceError(str(error)) from None
                # Whether it was created shows when its comments are listed again.
                self._say(f"{error}; looking whether it was written")
                self._client.pause(attempt)
            except RefusedError as error:
                raise ServiceError(_refusal(error)) from None
            else:
                return

    def _post(self, report: Report, context: RenderContext) -> None:
        placed, rest = comments(report, context)
        earlier = self._own(f"{self._pull}/comments")
        present = {comment.finding.fingerprint for comment in placed}
        written = 0
        for word, entries in earlier.items():
            if word not in present:
                written += sum(self._change(entry, no_longer(entry["body"])) for entry in entries)
        new: list[Comment] = []
        for comment in placed:
            known = earlier.get(comment.finding.fingerprint)
            if known:
                written += self._change(known[0], body(comment, context, "suggestion"))
            else:
                new.append(comment)
        rest += [comment.finding for comment in new[COMMENT_LIMIT:]]
        new = new[:COMMENT_LIMIT]
        summaries = self._own(f"{self._pull}/reviews").get(SUMMARY)
        if not summaries and not earlier and not new and not rest:
            self._say("nothing new to write to the pull request")
            return
        rest += self._create(new, rest, report, context, is_first=not summaries)
        if summaries:
            text = summary_body(report, rest, context)
            if not _same(summaries[0]["body"], text):
                self._client.put(f"{self._pull}/reviews/{summaries[0]['id']}", {"body": text})
        said = f"{len(new)} new, {written} changed" if new or written else "no new"
        self._say(f"pull request: {said} comments")

    def _create(
        self, new: list[Comment], rest: list[Any], report: Report, context: RenderContext, *, is_first: bool
    ) -> list[Any]:
        """Writes new comments, the first time with the summary; gives the findings whose lines were refused."""
        if not new and not is_first:
            return []
        text = summary_body(report, rest, context) if is_first else _further(len(new))
        commit = self._head or context.commit
        review: dict[str, Any] = {"commit_id": commit} if commit else {}
        review |= {"event": "COMMENT", "body": text}
        try:
            sent = [comment_object(comment, context) for comment in new]
            self._client.post(f"{self._pull}/reviews", {**review, "comments": sent})
            return []
        except RefusedError as error:
            if error.status != 422 or not new:
                raise
        # The service does not say which line it does not show; one by one, each gets its own answer.
        refused = [comment for comment in new if not self._create_alone(comment, context)]
        findings = [comment.finding for comment in refused]
        if is_first:
            review["body"] = summary_body(report, [*rest, *findings], context)
            self._client.post(f"{self._pull}/reviews", review)
        return findings

    def _create_alone(self, comment: Comment, context: RenderContext) -> bool:
        value = comment_object(comment, context)
        try:
            self._client.post(f"{self._pull}/comments", {**value, "commit_id": self._head or context.commit})
        except RefusedError as error:
            if error.status not in _NOT_IN_DIFF:
                raise
            return False
        return True

    def _change(self, entry: dict[str, Any], text: str | None) -> int:
        """Gives an own comment a new text where it differs; how many calls that took."""
        if text is None or _same(entry["body"], text):
            return 0
        self._client.patch(f"{self._comments}/{entry['id']}", {"body": text})
        return 1

    def _own(self, path: str) -> dict[str, list[dict[str, Any]]]:
        """Own entries of a list by the word of their hidden line."""
        own: dict[str, list[dict[str, Any]]] = {}
        for entry in self._client.all(path):
            word = marked(entry.get("body") or "")
            if word is not None and self._is_own(entry.get("user") or {}):
                own.setdefault(word, []).append(entry)
        return own

    def _is_own(self, user: dict[str, Any]) -> bool:
        """Whether an author is the owner of the token: a person who is known, or a bot.

        The token of a job may not ask who it is. Nobody but a bot writes hidden lines with such a token.
        """
        if user.get("type") == "Bot" or not user.get("login"):
            return True
        if self._login is None:
            try:
                self._login = str((self._client.get("user").data or {}).get("login", ""))
            except RefusedError:
                self._login = ""
        return bool(user["login"] == self._login)


def _further(count: int) -> str:
    noun = "finding" if count == 1 else "findings"
    return f"**wsantipattern**: {count} more new {noun}.\n\n{marker(FURTHER)}"


def _same(one: str, other: str) -> bool:
    return one.replace("\r\n", "\n").strip() == other.strip()


def _refusal(error: RefusedError) -> str:
    if error.status in _NO_ACCESS:
        return (
            f"GitHub does not let this job write to the pull request ({error.status}: {error.message}): it needs "
            "`permissions: pull-requests: write`, which the token of a pull request from a fork never has"
        )
    return f"GitHub refused the review ({error.status}: {error.message})"


def _pull_request(file: str) -> dict[str, Any]:
    try:
        with open(file, "rb") as stream:
            event = json.loads(stream.read())
    except OSError as error:
        raise ServiceError(f"GITHUB_EVENT_PATH {file}: {reason(error)}") from None
    except ValueError:
        raise ServiceError(f"GITHUB_EVENT_PATH {file}: not JSON") from None
    pull = event.get("pull_request") if isinstance(event, dict) else None
    if not isinstance(pull, dict) or not isinstance(pull.get("number", event.get("number")), int):
        raise ServiceError("--post: the event of this job is not about a pull request")
    return {**pull, "number": pull.get("number", event.get("number"))}


def _text(value: dict[str, Any], *keys: str) -> str:
    """A text deep in an event, "" where it is not there."""
    found: Any = value
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""
