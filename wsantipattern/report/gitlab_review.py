"""GitLab's "create a new merge request thread": the bodies of the calls, as its REST API documents it.

An array: one thread for each new finding on a line that the diff shows, then one for the summary. The commits that
a position names are those of the merge request's latest version, which only the service knows: they are added when
it is sent.
"""

from __future__ import annotations

from typing import Any

from wsantipattern.finding import Report
from wsantipattern.report import RenderContext
from wsantipattern.report.comment import Comment, body, comments, summary_body
from wsantipattern.report.json import dump


def render(report: Report, context: RenderContext) -> str:
    placed, rest = comments(report, context)
    threads = [thread_object(comment, context) for comment in placed]
    return dump([*threads, {"body": summary_body(report, rest, context)}])


def thread_object(comment: Comment, context: RenderContext) -> dict[str, Any]:
    """A thread as the API takes it, without the commits of its position."""
    shown = context.shown[comment.finding.path]
    position: dict[str, Any] = {
        "position_type": "text",
        "old_path": shown.old_path or comment.path,
        "new_path": comment.path,
        "new_line": comment.last,
    }
    if comment.last in shown.before:
        # A line that is in both states is named by both numbers.
        position["old_line"] = shown.before[comment.last]
    fence = f"suggestion:-{comment.last - comment.first}+0"
    return {"body": body(comment, context, fence), "position": position}
