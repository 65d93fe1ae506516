"""`review --post`, from a repository to a server that behaves as GitHub's or GitLab's does."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest
from repositories import Project, project_in
from review_servers import TOKEN, GitHubServer, GitLabServer, Trouble, running

from wsantipattern.cli import main
from wsantipattern.report.comment import marked

FILLER = "".join(f"x = {number}\n" for number in range(20))


@pytest.fixture(autouse=True)
def pauses(monkeypatch) -> list[float]:
    """The seconds that would have been waited."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


@pytest.fixture
def project(tmp_path: Path, monkeypatch) -> Project:
    """A branch with a finding on a changed line, and one whose cause is far below it."""
    made = project_in(tmp_path, monkeypatch)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    made.commit(a_py=f"x = 0\n{FILLER}whisper(1)\n", b_js="x\n")
    made.git("checkout", "-q", "-b", "work")
    made.write(a_py=f"x = 0\n{FILLER}whisper(1)\nshout(1)\n")
    made.commit()
    return made


@pytest.fixture
def post(project, monkeypatch, capfdbinary):
    def run(*arguments: str) -> tuple[int, str]:
        code = main(["review", "--output-format", "concise", "--post", *arguments])
        return code, capfdbinary.readouterr().err.decode()

    return run


# -- GitHub ----------------------------------------------------------------------------------------


@pytest.fixture
def github(project, tmp_path, monkeypatch) -> Iterator[GitHubServer]:
    server = GitHubServer({"a.py": set(range(19, 30)), "b.js": set(range(1, 30))})
    event = {
        "pull_request": {
            "number": 7,
            "head": {"sha": project.git("rev-parse", "HEAD")},
            "base": {"sha": project.git("rev-parse", "main"), "ref": "main"},
        }
    }
    (tmp_path / "event.json").write_text(json.dumps(event))
    with running(server):
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("GITHUB_EVENT_PATH", str(tmp_path / "event.json"))
        monkeypatch.setenv("GITHUB_REPOSITORY", "acme/app")
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        yield server


def commented(server: GitHubServer) -> list[tuple[str, int, str]]:
    """Path, line and first line of each comment."""
    return [(c["path"], c["line"], c["body"].splitlines()[0]) for c in server.comments]


LOUD = "**error** `loud-word`: `shout` is said"


def test_a_review_is_created_once_and_then_kept_up_to_date(project, github, post):
    code, err = post()
    assert (code, err) == (1, "wsantipattern: pull request: 1 new, 0 changed comments\n")
    assert commented(github) == [("a.py", 23, LOUD)]
    (review,) = github.reviews
    assert "1 new finding (1 error), 0 fixed, 1 there already" in review["body"].replace("\\", "")
    assert github.writes() == ["POST /repos/acme/app/pulls/N/reviews"]

    assert post() == (1, "wsantipattern: pull request: no new comments\n")
    assert github.writes() == ["POST /repos/acme/app/pulls/N/reviews"]

    project.commit(b_js="shout(2)\n")
    assert post("--head", "HEAD")[1] == "wsantipattern: pull request: 1 new, 0 changed comments\n"
    assert commented(github) == [("a.py", 23, LOUD), ("b.js", 1, LOUD)]
    assert "2 new findings" in github.reviews[0]["body"]
    assert "1 more new finding." in github.reviews[1]["body"]

    project.commit(a_py=f"x = 0\n{FILLER}whisper(1)\n", b_js="x\n")
    code, err = post("--head", "HEAD")
    assert (code, err) == (0, "wsantipattern: pull request: 0 new, 2 changed comments\n")
    assert [line for _, _, line in commented(github)] == [f"**No longer found.** ~~{LOUD}~~"] * 2
    assert "no new findings" in github.reviews[0]["body"]
    assert post("--head", "HEAD")[1] == "wsantipattern: pull request: no new comments\n"

    project.commit(b_js="shout(2)\n")
    post("--head", "HEAD")
    assert commented(github)[1] == ("b.js", 1, LOUD)
    assert len(github.comments) == 2


def test_nothing_new_writes_nothing(project, github, post):
    project.git("checkout", "-q", "main")
    code, err = post("--head", "main")
    assert (code, err) == (0, "wsantipattern: nothing new to write to the pull request\n")
    assert github.writes() == []


def test_comments_of_others_are_left_alone(project, github, post):
    post()
    mine = github.comments[0]
    for login, kind, body in (
        ("somebody", "User", mine["body"]),
        ("other[bot]", "Bot", "a note of another tool"),
        ("somebody", "User", "a note\n\n<!-- wsantipattern 0123 -->"),
        ("somebody", "User", None),
    ):
        user = {"login": login, "type": kind}
        github.comments.insert(
            0, {"id": github.number(), "body": body, "user": user, "path": "a.py", "line": 1}
        )
    before = [comment["body"] for comment in github.comments[:4]]
    project.commit(a_py="x = 1\n")
    post("--head", "HEAD")
    assert [comment["body"] for comment in github.comments[:4]] == before
    assert mine["body"].startswith("**No longer found.**")
    assert {call for call in github.calls if call[0] == "PATCH"} == {
        ("PATCH", f"/repos/acme/app/pulls/comments/{mine['id']}")
    }


def test_a_line_that_the_service_does_not_show_goes_to_the_summary(project, github, post):
    project.commit(b_js="shout(2)\n")
    github.shown["a.py"] = set()
    assert post("--head", "HEAD")[0] == 1
    assert commented(github) == [("b.js", 1, LOUD)]
    (review,) = github.reviews
    assert "- `a.py:23` **error** `loud-word`: `shout` is said" in review["body"]
    writes = github.writes()
    assert writes[0] == writes[-1] == "POST /repos/acme/app/pulls/N/reviews"
    assert writes.count("POST /repos/acme/app/pulls/N/comments") == 2
    post("--head", "HEAD")
    assert len(github.reviews) == 1
    assert commented(github) == [("b.js", 1, LOUD)]


def test_a_rate_limit_is_waited_for(project, github, post, pauses):
    limited = {"message": "You have exceeded a secondary rate limit"}
    github.troubles = [
        Trouble(
            "GET",
            "/comments",
            403,
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.time()) + 30)},
        ),
        Trouble("GET", "/comments", 429, {"Retry-After": "7"}),
        Trouble("POST", "/reviews", 403, {}, limited),
        Trouble("POST", "/reviews", 403, {"Retry-After": formatdate(time.time() + 60, usegmt=True)}, limited),
    ]
    code, err = post()
    assert code == 1
    assert len(github.reviews) == len(github.comments) == 1
    assert [round(pause, -1) for pause in pauses] == [30, 10, 0, 60]
    assert err.count("trying again in") == 4
    assert "secondary rate limit; trying again in 1 s" in err


def test_a_rate_limit_that_lasts_too_long_is_an_error(project, github, post, pauses):
    github.troubles = [Trouble("GET", "/comments", 429, {"Retry-After": "3600"}, {"message": "slow down"})]
    code, err = post()
    assert code == 2
    assert "429 slow down; it asks to wait 3600 s" in err
    assert pauses == []
    github.troubles = [Trouble("GET", "/comments", 503) for _ in range(5)]
    assert post()[0] == 2
    assert pauses == [1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize("status", [0, 502])
@pytest.mark.parametrize("happens", [True, False])
def test_a_creation_of_unknown_fate_happens_once(project, github, post, status, happens):
    github.troubles = [
        Trouble("GET", "/reviews", 500),
        Trouble("POST", "/reviews", status, happens=happens),
        Trouble("GET", "/reviews", status),
    ]
    code, err = post()
    assert code == 1
    assert "looking whether it was written" in err
    assert commented(github) == [("a.py", 23, LOUD)]
    assert len(github.reviews) == 1


def test_a_name_that_is_no_utf_8_is_told_in_the_summary(project, github, post):
    project.put(os.fsdecode(b"caf\xe9.py"), "shout(3)\n")
    project.commit()
    assert post("--head", "HEAD")[0] == 1
    assert commented(github) == [("a.py", 23, LOUD)]
    assert "caf" in github.reviews[0]["body"]


def test_without_permission(project, github, post, monkeypatch):
    github.is_read_only = True
    code, err = post()
    assert code == 2
    (error,) = [line for line in err.splitlines() if line.startswith("wsantipattern: error: ")]
    assert (
        "does not let this job write to the pull request (403: Resource not accessible by integration)"
        in error
    )
    assert "pull-requests: write" in error
    assert "fork" in error
    monkeypatch.setenv("GITHUB_TOKEN", "wrong")
    assert "(401: Bad credentials)" in post()[1]
    assert "wrong" not in post()[1].replace("GitHub", "")
    monkeypatch.delenv("GITHUB_TOKEN")
    assert "--post needs the token of the job" in post()[1]


def test_an_event_that_is_none(project, github, post, tmp_path):
    event = tmp_path / "event.json"
    event.write_text('{"ref": "refs/heads/main"}')
    assert "not about a pull request" in post()[1]
    event.write_text("{")
    assert "not JSON" in post()[1]
    event.unlink()
    assert "no such file" in post()[1]


def test_the_token_goes_to_no_other_server(project, github, post):
    elsewhere = GitHubServer({})
    with running(elsewhere):
        link = {"Link": f'<{elsewhere.url}/comments?page=2>; rel="next"'}
        github.troubles = [Trouble("GET", "/comments", 200, link, [])]
        code, err = post()
        assert code == 2
        assert "the token is not sent there" in err
        github.troubles = [Trouble("GET", "/comments", 302, {"Location": f"{elsewhere.url}/comments"})]
        assert post()[0] == 2
        assert elsewhere.calls == []


def test_the_commits_are_those_of_the_pull_request(project, github, post):
    """A job checks out the merge; the lines of comments are those of the branch."""
    project.git("checkout", "-q", "main")
    project.commit(a_py=f"new = 0\nx = 0\n{FILLER}whisper(1)\n", c_py="shout(3)\n")
    project.git("merge", "-q", "--no-edit", "work")
    assert post()[0] == 1
    assert commented(github) == [("a.py", 23, LOUD)]


# -- GitLab ----------------------------------------------------------------------------------------


@pytest.fixture
def gitlab(project, monkeypatch) -> Iterator[GitLabServer]:
    added = {(None, line) for line in range(1, 40)}
    server = GitLabServer({"a.py": added, "b.js": added})
    with running(server):
        monkeypatch.setenv("GITLAB_CI", "true")
        monkeypatch.setenv("CI_API_V4_URL", f"{server.url}/api/v4")
        monkeypatch.setenv("CI_PROJECT_ID", "42")
        monkeypatch.setenv("CI_MERGE_REQUEST_IID", "3")
        monkeypatch.setenv("CI_MERGE_REQUEST_DIFF_BASE_SHA", project.git("rev-parse", "main"))
        monkeypatch.setenv("CI_COMMIT_SHA", project.git("rev-parse", "HEAD"))
        monkeypatch.setenv("GITLAB_TOKEN", TOKEN)
        yield server


def threads(server: GitLabServer) -> list[tuple[int, str, bool]]:
    """Line, first line of text and whether it is resolved, of each thread about a finding."""
    return [
        (note["position"]["new_line"], note["body"].splitlines()[0], note["resolved"])
        for note in (discussion["notes"][0] for discussion in server.discussions)
        if "position" in note
    ]


def test_threads_are_created_once_and_then_kept_up_to_date(project, gitlab, post):
    assert post() == (1, "wsantipattern: merge request: 1 new, 0 changed threads\n")
    assert threads(gitlab) == [(23, LOUD, False)]
    summary = gitlab.discussions[1]["notes"][0]
    assert marked(summary["body"]) == "summary"
    assert post() == (1, "wsantipattern: merge request: no new threads\n")
    assert len(gitlab.discussions) == 2

    project.commit(a_py=f"x = 0\n{FILLER}whisper(1)\n", b_js="shout(2)\n")
    post("--head", "HEAD")
    assert threads(gitlab) == [(23, f"**No longer found.** ~~{LOUD}~~", True), (1, LOUD, False)]
    project.git("checkout", "-q", "HEAD~1")
    post("--head", "HEAD")
    assert threads(gitlab) == [(23, LOUD, False), (1, f"**No longer found.** ~~{LOUD}~~", True)]
    assert "1 new finding" in summary["body"]


def test_a_thread_with_an_answer_is_not_resolved(project, gitlab, post):
    post()
    gitlab.discussions[0]["notes"].append({"id": 77, "body": "why?", "author": {"id": 5}, "resolved": False})
    foreign = {
        "id": 78,
        "body": gitlab.discussions[0]["notes"][0]["body"],
        "author": {"id": 5},
        "resolved": False,
    }
    gitlab.discussions.insert(0, {"id": "500", "notes": [foreign]})
    project.commit(a_py="x = 1\n")
    post("--head", "HEAD")
    assert threads(gitlab)[0][1:] == (f"**No longer found.** ~~{LOUD}~~", False)
    assert foreign["body"].startswith(LOUD)


def test_a_line_outside_of_the_diff_and_a_server_in_trouble(project, gitlab, post, pauses):
    gitlab.shown = {}
    gitlab.troubles = [
        Trouble("GET", "/versions", 500),
        Trouble("GET", "/discussions", 429, {"Retry-After": "3"}),
        Trouble("POST", "/notes", 502, happens=True),
    ]
    assert post()[0] == 1
    assert threads(gitlab) == []
    assert len(gitlab.discussions) == 1
    assert "- `a.py:23` **error**" in gitlab.discussions[0]["notes"][0]["body"]
    assert 3.0 in pauses


def test_without_permission_on_gitlab(project, gitlab, post, monkeypatch):
    gitlab.is_read_only = True
    code, err = post()
    assert code == 2
    assert "GITLAB_TOKEN must be a project access token" in err
    monkeypatch.delenv("GITLAB_TOKEN")
    assert "--post needs a token" in post()[1]
    monkeypatch.delenv("CI_MERGE_REQUEST_IID")
    assert "this job is not about a merge request" in post()[1]
