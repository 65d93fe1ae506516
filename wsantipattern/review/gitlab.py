"""A review in a merge request on GitLab, through its REST API.

One thread for each new finding, one note with the summary. Its own earlier notes are known by a hidden line and by
their author; they are changed, never repeated. A thread whose finding is gone is resolved where nobody has answered
in it; nothing of anybody else is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from wsantipattern import __version__
from wsantipattern.finding import Finding, Report
from wsantipattern.report import RenderContext
from wsantipattern.report.comment import SUMMARY, comments, marked, no_longer, summary_body
from wsantipattern.report.gitlab_review import thread_object
from wsantipattern.review.http import Client, RefusedError, ServiceError, UnsureError
from wsantipattern.review.service import needed

COMMENT_LIMIT = 50
"""New threads in one run; what is beyond stands in the summary."""

TRIES = 3
"""How often a creation of unknown fate is looked up and tried again."""

_NOT_IN_DIFF = (400, 422)
_NO_ACCESS = (401, 403, 404)


class GitLab:
    """The merge request that a job of GitLab CI runs for; see `service.Service`."""

    def __init__(self, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
        """Reads the job's environment.

        Raises:
            ServiceError: it is not that of a merge request, or something is missing.
        """
        if not environment.get("CI_MERGE_REQUEST_IID"):
            raise ServiceError(
                "--post: this job is not about a merge request; run it with "
                'rules: [if: $CI_PIPELINE_SOURCE == "merge_request_event"]'
            )
        token, job_token = environment.get("GITLAB_TOKEN"), environment.get("CI_JOB_TOKEN")
        if not token and not job_token:
            raise ServiceError("--post needs a token with the scope api in GITLAB_TOKEN")
        secret = {"PRIVATE-TOKEN": token} if token else {"JOB-TOKEN": job_token or ""}
        project = environment.get("CI_MERGE_REQUEST_PROJECT_ID") or needed(environment, "CI_PROJECT_ID")
        number = quote(needed(environment, "CI_MERGE_REQUEST_IID"), safe="")
        self._request = f"projects/{quote(project, safe='')}/merge_requests/{number}"
        branch = environment.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "")
        names = (
            environment.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", ""),
            f"refs/remotes/origin/{branch}" if branch else "",
        )
        self.bases: tuple[str, ...] = tuple(name for name in names if name)
        # In a pipeline for merged results, the commit of the job is not the one that is reviewed.
        heads = (environment.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"), environment.get("CI_COMMIT_SHA"))
        self.heads: tuple[str, ...] = tuple(name for name in heads if name)[:1]
        self._say = say
        self._me: int | None = None
        self._client = Client(
            needed(environment, "CI_API_V4_URL"),
            {**secret, "User-Agent": f"wsantipattern/{__version__}"},
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
                self._say(f"{error}; looking whether it was written")
                self._client.pause(attempt)
            except RefusedError as error:
                raise ServiceError(_refusal(error)) from None
            else:
                return

    def _post(self, report: Report, context: RenderContext) -> None:
        placed, rest = comments(report, context)
        earlier = self._own()
        present = {comment.finding.fingerprint for comment in placed}
        written = created = 0
        for word, threads in earlier.items():
            if word != SUMMARY and word not in present:
                written += sum(self._settle(thread) for thread in threads)
        commits = self._commits() if placed else {}
        for comment in placed:
            thread = thread_object(comment, context)
            known = earlier.get(comment.finding.fingerprint)
            if known:
                written += self._reopen(known[0], thread["body"])
            elif created == COMMENT_LIMIT or not self._create(thread, commits):
                rest.append(comment.finding)
            else:
                created += 1
        self._summarize(report, rest, context, earlier.get(SUMMARY, []), is_needed=bool(earlier or created))
        said = f"{created} new, {written} changed" if created or written else "no new"
        self._say(f"merge request: {said} threads")

    def _summarize(
        self,
        report: Report,
        rest: list[Finding],
        context: RenderContext,
        earlier: list[dict[str, Any]],
        *,
        is_needed: bool,
    ) -> None:
        text = summary_body(report, rest, context)
        if earlier:
            self._change(earlier[0], text)
        elif is_needed or rest:
            self._client.post(f"{self._request}/notes", {"body": text})

    def _create(self, thread: dict[str, Any], commits: dict[str, str]) -> bool:
        try:
            position = {**thread["position"], **commits}
            self._client.post(f"{self._request}/discussions", {**thread, "position": position})
        except RefusedError as error:
            if error.status not in _NOT_IN_DIFF:
                raise
            return False
        return True

    def _commits(self) -> dict[str, str]:
        """The commits that a position in the diff is relative to: those of the latest version."""
        versions = self._client.get(f"{self._request}/versions").data
        if not isinstance(versions, list) or not versions:
            raise ServiceError("the merge request has no version to comment on yet")
        latest = versions[0]
        return {
            name: str(latest[f"{name[:-4]}_commit_sha"]) for name in ("base_sha", "start_sha", "head_sha")
        }

    def _settle(self, thread: dict[str, Any]) -> int:
        """Says in a thread that its finding is gone, and resolves it unless somebody has answered."""
        text = no_longer(thread["notes"][0]["body"])
        if text is None:
            return 0
        self._change(thread, text)
        if all(self._is_own(note) for note in thread["notes"]) and thread["notes"][0].get("resolvable"):
            self._client.put(f"{self._request}/discussions/{thread['id']}", {"resolved": True})
        return 1

    def _reopen(self, thread: dict[str, Any], text: str) -> int:
        """Brings a thread up to date; one that was settled because its finding was gone is open again."""
        note = thread["notes"][0]
        was_gone = no_longer(note["body"]) is None
        changed = self._change(thread, text)
        if was_gone and note.get("resolved"):
            self._client.put(f"{self._request}/discussions/{thread['id']}", {"resolved": False})
        return changed

    def _change(self, thread: dict[str, Any], text: str) -> int:
        note = thread["notes"][0]
        if note["body"].replace("\r\n", "\n").strip() == text.strip():
            return 0
        path = f"{self._request}/discussions/{thread['id']}/notes/{note['id']}"
        self._client.put(path, {"body": text})
        return 1

    def _own(self) -> dict[str, list[dict[str, Any]]]:
        """Threads whose first note is ours, by the word of its hidden line."""
        own: dict[str, list[dict[str, Any]]] = {}
        for thread in self._client.all(f"{self._request}/discussions"):
            notes = thread.get("notes") or []
            word = marked(notes[0].get("body") or "") if notes else None
            if word is not None and self._is_own(notes[0]):
                own.setdefault(word, []).append(thread)
        return own

    def _is_own(self, note: dict[str, Any]) -> bool:
        if self._me is None:
            self._me = int(self._client.get("user").data["id"])
        return bool((note.get("author") or {}).get("id") == self._me)


def _refusal(error: RefusedError) -> str:
    if error.status in _NO_ACCESS:
        return (
            f"GitLab does not let this job write to the merge request ({error.status}: {error.message}): GITLAB_TOKEN "
            "must be a project access token with the scope api; the job's own token cannot write notes"
        )
    return f"GitLab refused the review ({error.status}: {error.message})"
