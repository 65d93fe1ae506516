"""The code review service that a CI job runs for, from the job's environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from wsantipattern.finding import Report
from wsantipattern.report import RenderContext
from wsantipattern.review.http import ServiceError

__all__ = ["Service", "ServiceError", "service"]


class Service(Protocol):
    """A pull or merge request that a review is written to.

    Attributes:
        bases: names of the commit that it is compared with, the best first.
        heads: names of the commit that it is about.
    """

    bases: tuple[str, ...]
    heads: tuple[str, ...]

    def post(self, report: Report, context: RenderContext) -> None:
        """Writes what is new, and brings what was written before up to date.

        Raises:
            ServiceError: it cannot.
        """


def service(environment: Mapping[str, str], say: Callable[[str], None]) -> Service:
    """The service of the CI job whose environment this is.

    Raises:
        ServiceError: it is none, or something is missing in it.
    """
    if environment.get("GITHUB_EVENT_PATH") or environment.get("GITHUB_ACTIONS"):
        from wsantipattern.review.github import GitHub

        return GitHub(environment, say)
    if environment.get("CI_MERGE_REQUEST_IID") or environment.get("GITLAB_CI"):
        from wsantipattern.review.gitlab import GitLab

        return GitLab(environment, say)
    raise ServiceError(
        "--post works in a job of GitHub Actions (GITHUB_EVENT_PATH, GITHUB_TOKEN) or of GitLab CI "
        "(CI_MERGE_REQUEST_IID, GITLAB_TOKEN); neither is set"
    )


def needed(environment: Mapping[str, str], name: str) -> str:
    """A variable of the environment.

    Raises:
        ServiceError: it is not set.
    """
    value = environment.get(name, "").strip()
    if not value:
        raise ServiceError(f"--post needs the environment variable {name}")
    return value
