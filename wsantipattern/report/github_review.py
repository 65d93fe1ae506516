"""GitHub's "create a review for a pull request": the body of the call, as its REST API documents it.

One comment for each new finding on a line that the diff shows; all others in the review's own text.
"""

from __future__ import annotations

from typing import Any

from wsantipattern.finding import Report
from wsantipattern.report import RenderContext
from wsantipattern.report.comment import Comment, body, comments, summary_body
from wsantipattern.report.json import dump


def render(report: Report, context: RenderContext) -> str:
    placed, rest = comments(report, context)
    review: dict[str, Any] = {"commit_id": context.commit} if context.commit else {}
    review |= {
        "event": "COMMENT",
        "body": summary_body(report, rest, context),
        "comments": [comment_object(comment, context) for comment in placed],
    }
    return dump(review)


def comment_object(comment: Comment, context: RenderContext) -> dict[str, Any]:
    """A comment as the API takes it, alone or in a review."""
    lines: dict[str, Any] = {"line": comment.last, "side": "RIGHT"}
    if comment.first < comment.last:
        lines = {"start_line": comment.first, "start_side": "RIGHT", **lines}
    return {"path": comment.path, **lines, "body": body(comment, context, "suggestion")}
