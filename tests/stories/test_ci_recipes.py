"""The CI recipes of examples/ci, replayed step by step with git and the emulator."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from ci_jobs import (
    GITHUB,
    GITHUB_BUCKET,
    GITHUB_BUCKET_STATUS,
    GITHUB_STATUS,
    GITLAB,
    GITLAB_BUCKET,
    Ended,
    Origin,
    github_job,
    gitlab_job,
    install,
    script,
)
from studies import MANIFEST

WHO = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
ON_GITLAB = {
    "CI_COMMIT_BRANCH": "main",
    "CI_SERVER_HOST": "gitlab.example",
    "CI_PROJECT_PATH": "lab/study",
    "PUSH_TOKEN": "t0ken",
}
LOCKFILE = "manifests/germline.lock.json"
FORK = (
    "github.event_name == 'pull_request' && github.event.pull_request.head.repo.full_name == github.repository"
).split(" && ")


@pytest.fixture(name="bin_folder")
def _bin_folder(tmp_path: Path) -> Path:
    return tmp_path / "bin"


@pytest.fixture(name="origin")
def _origin(cli, emulator, tmp_path: Path, bin_folder: Path) -> Origin:
    """A repository with a manifest of two samples, nothing launched yet."""
    git = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    origin = Origin(tmp_path / "origin.git", {**cli.env, **WHO, **git, "PATH": install(bin_folder, cli.served)})
    origin.path.mkdir()
    origin.git(origin.path, "init", "-q", "--bare", "-b", "main")
    folder = origin.clone(tmp_path / "laptop")
    (folder / "manifests").mkdir()
    manifest = MANIFEST.format(name="germline", sheet="germline.csv")
    (folder / "manifests" / "germline.yaml").write_text(manifest, encoding="utf-8")
    add_samples(folder, "sample,bam,sv", "alpha,fil.alpha,true", "beta,fil.beta,true")
    origin.commit(folder)
    origin.push(folder)
    return origin


def add_samples(folder: Path, *lines: str) -> None:
    with (folder / "manifests" / "germline.csv").open("a", encoding="utf-8") as sheet:
        sheet.writelines(f"{line}\n" for line in lines)


def launched(origin: Origin) -> list[str]:
    return sorted(json.loads(origin.show(LOCKFILE))["items"])


@pytest.fixture(name="run_job", params=["github", "gitlab"])
def _run_job(request, origin: Origin, cli, tmp_path: Path):
    """The job that launches, of either recipe, for the commit that is the newest when this is called first.

    Without a ``plan`` it is the one of the branch as it is when the job starts.
    """
    event = origin.git(origin.path, "rev-parse", "main")

    def run(folder: str = "job", plan: str = "", options: str = "", where: str = "") -> Ended:
        plan = plan or planned(
            origin, cli, tmp_path / f"plan-{folder}", *options.split(), *(["--where", where] if where else [])
        )
        if request.param == "github":
            known = {"github.ref_name": "main", "secrets.ICA_API_KEY": origin.env["ICAV2_X_API_KEY"]}
            known |= {"needs.plan.outputs.digest": plan, "inputs.options": options, "inputs.where": where}
            return github_job("run", origin, tmp_path / folder, known)
        known = {**ON_GITLAB, "PLAN": plan, "OPTIONS": options, "WHERE": where}
        return gitlab_job("run", origin, tmp_path / folder, event, known)

    return run


@pytest.fixture(name="status_job", params=["github", "gitlab"])
def _status_job(request, origin: Origin, tmp_path: Path):
    """The scheduled job of either recipe."""

    def status(folder: str = "status") -> Ended:
        if request.param == "github":
            known = {"github.ref_name": "main", "secrets.ICA_API_KEY": origin.env["ICAV2_X_API_KEY"]}
            return github_job("status", origin, tmp_path / folder, known, GITHUB_STATUS)
        return gitlab_job("status", origin, tmp_path / folder, origin.git(origin.path, "rev-parse", "main"), ON_GITLAB)

    return status


def planned(origin: Origin, cli, folder: Path, *options: str) -> str:
    """The digest of the plan for the branch as it is now."""
    cli.folder = origin.clone(folder)
    return cli.ok("plan", "manifests/germline.yaml", *options, "--json").json["planDigest"]


# -- the job that launches


def test_a_job_launches_and_pushes_the_lockfile(run_job, origin: Origin, emulator):
    ended = run_job()
    assert not ended.failed, ended.said
    assert launched(origin) == ["alpha", "beta"]
    assert sorted(emulator.executed()) == ["alpha", "beta"]
    assert origin.git(origin.path, "log", "-1", "--format=%s", "main") == "Record launches [skip ci]"


def test_a_job_that_waited_starts_from_the_newest_lockfile(run_job, origin: Origin, emulator, cli, tmp_path: Path):
    """While it was queued, the job before it pushed its lockfile, and somebody added a sample."""
    laptop = tmp_path / "laptop"
    add_samples(laptop, "gamma,fil.gamma,true")
    cli.folder = laptop
    cli.ok("run", "manifests/germline.yaml")
    add_samples(laptop, "delta,fil.delta,true")
    origin.commit(laptop)
    origin.push(laptop)
    ended = run_job()
    assert not ended.failed, ended.said
    assert launched(origin) == ["alpha", "beta", "delta", "gamma"]
    assert sorted(emulator.executed()) == ["alpha", "beta", "delta", "gamma"]


def test_launches_that_were_pushed_meanwhile_are_merged(
    run_job, origin: Origin, emulator, cli, tmp_path: Path, bin_folder: Path
):
    """Between the job's launch and its push, a colleague pushes a lockfile that launched another sample."""
    laptop = tmp_path / "laptop"
    add_samples(laptop, "gamma,fil.gamma,true")
    cli.folder = laptop
    cli.ok("run", "manifests/germline.yaml", "--target", "gamma")
    origin.commit(laptop)
    real = (bin_folder / "manifest-runner").read_text(encoding="utf-8").splitlines()[1].removeprefix("exec ")
    meanwhile = f'[ "$1" != run ] || git -C {laptop} push -q origin HEAD:main'
    script(bin_folder / "manifest-runner", f"{real}; code=$?\n{meanwhile}\nexit $code")
    ended = run_job()
    assert not ended.failed, ended.said
    assert launched(origin) == ["alpha", "beta", "gamma"]
    assert sorted(emulator.executed()) == ["alpha", "beta", "gamma"]


def test_a_lockfile_that_cannot_be_pushed_fails_the_job_and_is_kept(run_job, origin: Origin, emulator):
    """The branch is protected."""
    script(origin.path / "hooks" / "pre-receive", "echo 'protected branch' >&2; exit 1")
    ended = run_job()
    assert (ended.failed, "could not be pushed" in ended.said) == (True, True)
    assert ended.artifacts == [LOCKFILE]
    assert sorted(emulator.executed()) == ["alpha", "beta"]
    # Repairing this launches nothing twice, even without the artifact.
    (origin.path / "hooks" / "pre-receive").unlink()
    assert not run_job("again").failed
    assert sorted(emulator.executed()) == ["alpha", "beta"]
    assert launched(origin) == ["alpha", "beta"]


@pytest.mark.parametrize("emulator", [{"fail_creation": "^beta$"}], indirect=True)
def test_failed_items_fail_the_job_and_the_lockfile_is_pushed_all_the_same(run_job, origin: Origin):
    ended = run_job()
    assert ended.failed
    assert launched(origin) == ["alpha", "beta"]


@pytest.mark.parametrize("emulator", [{"fail_creation": "^beta$"}], indirect=True)
def test_a_manual_run_launches_failed_items_again(run_job, origin: Origin, emulator):
    run_job()
    run_job("another", options="--retry-failed", where="userReference == 'alpha'")
    run_job("again", options="--retry-failed", where="userReference == 'beta'")
    assert sorted(emulator.executed()) == ["alpha", "beta", "beta"]
    assert json.loads(origin.show(LOCKFILE))["items"]["beta"]["attempt"] == 1


@pytest.mark.parametrize("emulator", [{"fail_analysis": "^beta$", "analysis_duration": 1.0}], indirect=True)
def test_the_scheduled_job_pushes_what_became_of_the_analyses_and_fails(
    status_job, origin: Origin, cli, tmp_path: Path
):
    cli.folder = tmp_path / "laptop"
    cli("run", "manifests/germline.yaml", "--wait", "none")  # on a slow machine it has failed by then
    origin.commit(cli.folder)
    origin.push(cli.folder)
    cli.folder = origin.clone(tmp_path / "somebody")
    cli.ok("status", "manifests/germline.yaml", "--watch")  # whose lockfile is not pushed
    assert status_job().failed
    assert json.loads(origin.show(LOCKFILE))["items"]["beta"]["analysis"]["status"] == "FAILED"
    newest = origin.git(origin.path, "rev-parse", "main")
    status_job("again")
    assert origin.git(origin.path, "rev-parse", "main") == newest


def test_what_came_after_the_approved_plan_is_not_launched_by_it(
    run_job, origin: Origin, emulator, cli, tmp_path: Path
):
    approved = planned(origin, cli, tmp_path / "approved")
    add_samples(tmp_path / "laptop", "gamma,fil.gamma,true")
    origin.commit(tmp_path / "laptop")
    origin.push(tmp_path / "laptop")
    assert run_job(plan=approved).failed
    assert emulator.executed() == []
    assert not run_job("again").failed
    assert sorted(emulator.executed()) == ["alpha", "beta", "gamma"]


def test_a_manifest_with_a_lease_in_git_holds_it_in_the_same_repository(run_job, origin: Origin, emulator, tmp_path):
    manifest = tmp_path / "laptop" / "manifests" / "germline.yaml"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("analyses:", "lock: git\nanalyses:"))
    origin.commit(tmp_path / "laptop")
    origin.push(tmp_path / "laptop")
    ended = run_job()
    assert not ended.failed, ended.said
    assert (launched(origin), sorted(emulator.executed())) == (["alpha", "beta"], ["alpha", "beta"])
    assert len(origin.git(origin.path, "for-each-ref", "refs/manifest-runner/lock/").splitlines()) == 1


# -- the state in a store


@pytest.fixture(name="bucket_jobs", params=["github", "gitlab"])
def _bucket_jobs(request, origin: Origin, tmp_path: Path):
    """The jobs `plan` and `run` of either recipe, for the newest commit; the store is a folder."""
    manifest = tmp_path / "laptop" / "manifests" / "germline.yaml"
    state = f"state: {(tmp_path / 'store').as_uri()}\nanalyses:"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("analyses:", state))
    origin.commit(tmp_path / "laptop")
    origin.push(tmp_path / "laptop")

    def job(name: str, folder: str, plan: str = "", options: str = "") -> Ended:
        commit = origin.git(origin.path, "rev-parse", "main")
        if request.param == "gitlab":
            given = {**ON_GITLAB, "PLAN": plan, "OPTIONS": options}
            return gitlab_job(name, origin, tmp_path / folder, commit, given, GITLAB_BUCKET)
        known = {
            "github.sha": commit,
            "vars.STATE_READER": "reader",
            "vars.STATE_WRITER": "writer",
            "secrets.ICA_API_KEY": origin.env["ICAV2_X_API_KEY"],
            "needs.plan.outputs.digest": plan,
            "inputs.options": options,
        }
        return github_job(name, origin, tmp_path / folder, known, GITHUB_BUCKET)

    job.check = {"github": "check", "gitlab": "plan"}[request.param]
    return job


def planned_by(ended: Ended) -> str:
    assert not ended.failed, ended.said
    return ended.outputs.get("digest") or ended.outputs["PLAN"]


def test_what_was_planned_is_launched_and_nothing_is_pushed(bucket_jobs, origin: Origin, emulator, tmp_path: Path):
    before = origin.git(origin.path, "rev-parse", "main")
    digest = planned_by(bucket_jobs("plan", "plan"))
    ended = bucket_jobs("run", "run", digest)
    assert not ended.failed, ended.said
    assert sorted(emulator.executed()) == ["alpha", "beta"]
    assert origin.git(origin.path, "rev-parse", "main") == before
    assert [path.name for path in (tmp_path / "store").rglob("*.lock.json")] == ["germline.lock.json"]
    again = bucket_jobs("plan", "plan-again")
    assert again.outputs.get("due", "false") == "false"
    assert not bucket_jobs("run", "run-again", planned_by(again)).failed
    assert len(emulator.executed()) == 2


def test_another_plan_than_the_approved_one_launches_nothing(bucket_jobs, origin: Origin, emulator, tmp_path: Path):
    digest = planned_by(bucket_jobs("plan", "plan"))
    add_samples(tmp_path / "laptop", "gamma,fil.gamma,true")
    origin.commit(tmp_path / "laptop")
    origin.push(tmp_path / "laptop")
    assert bucket_jobs("run", "run", digest).failed
    assert emulator.executed() == []


@pytest.mark.parametrize("emulator", [{"fail_creation": "^beta$"}], indirect=True)
def test_failed_items_are_launched_again_by_an_option_of_the_workflow(bucket_jobs, emulator):
    assert bucket_jobs("run", "run", planned_by(bucket_jobs("plan", "plan"))).failed
    again = planned_by(bucket_jobs("plan", "plan-again", options="--retry-failed"))
    assert bucket_jobs("run", "run-again", again, options="--retry-failed").failed
    assert sorted(emulator.executed()) == ["alpha", "beta", "beta"]


def test_a_name_that_nobody_has_looked_up_fails_the_check_and_says_what_to_do(bucket_jobs, origin, tmp_path):
    add_samples(tmp_path / "laptop", "gamma,/fastq/gamma.bam,true")
    origin.commit(tmp_path / "laptop")
    origin.push(tmp_path / "laptop")
    ended = bucket_jobs(bucket_jobs.check, "check")
    assert ended.failed
    assert "`manifest-runner resolve` looks it up" in ended.said


# -- the job that plans


@pytest.fixture(name="plan_job")
def _plan_job(origin: Origin, tmp_path: Path, bin_folder: Path):
    """The plan of the GitHub recipe; `gh` keeps comments in a file."""
    comments = tmp_path / "comments.json"
    comments.write_text(json.dumps([{"id": 1, "user": {"type": "User"}, "body": "<!-- manifest-runner plan --> fake"}]))
    script(
        bin_folder / "gh",
        f"""file={comments}; body=$(cat plan.md)
case "$*" in
  *PATCH*comments/7*) jq --arg b "$body" '(.[] | select(.id == 7)).body = $b' $file > $file.new && mv $file.new $file;;
  *POST*issues/3/comments*) jq --arg b "$body" '. + [{{id: 7, user: {{type: "Bot"}}, body: $b}}]' $file > $file.new &&
    mv $file.new $file;;
  *repos/lab/study/issues/3/comments*--jq*) jq -r "${{@: -1}}" $file;;
  *) echo "unexpected: $*" >&2; exit 1;;
esac""",
    )

    def plan(folder: str, *, event: str = "pull_request", same_repository: bool = True) -> Ended:
        ref = "github.event_name == 'pull_request' && github.ref || github.ref_name"
        known = {
            ref: "main",
            FORK[0]: str(event == "pull_request").lower(),
            FORK[1]: str(same_repository).lower(),
            "github.token": "token",
            "github.event.pull_request.number": "3",
        }
        env = {"GITHUB_REPOSITORY": "lab/study", "ICAV2_X_API_KEY": ""}
        return github_job("plan", Origin(origin.path, {**origin.env, **env}), tmp_path / folder, known)

    plan.comments = lambda: json.loads(comments.read_text(encoding="utf-8"))
    return plan


def test_the_plan_is_one_comment_that_is_found_again_by_its_marker(plan_job, origin: Origin, tmp_path: Path):
    first = plan_job("first")
    assert not first.failed, first.said
    assert [comment["id"] for comment in plan_job.comments()] == [1, 7]
    add_samples(tmp_path / "laptop", "gamma,fil.gamma,true")
    origin.commit(tmp_path / "laptop")
    origin.push(tmp_path / "laptop")
    assert not plan_job("second").failed
    somebody, ours = plan_job.comments()
    assert somebody["body"].endswith("fake")
    assert "+ gamma" in ours["body"]


def test_a_pull_request_from_a_fork_has_its_plan_in_the_summary(plan_job):
    ended = plan_job("fork", same_repository=False)
    assert not ended.failed, ended.said
    assert "+ alpha" in ended.summary
    assert len(plan_job.comments()) == 1


def test_a_plan_after_a_merge_says_whether_anything_is_due(plan_job, origin: Origin, cli, tmp_path: Path):
    assert plan_job("before", event="push").outputs["due"] == "true"
    cli.folder = tmp_path / "laptop"
    cli.ok("run", "manifests/germline.yaml")
    origin.commit(tmp_path / "laptop")
    origin.push(tmp_path / "laptop")
    assert plan_job("after", event="push").outputs["due"] == "false"


def test_an_invalid_manifest_fails_the_plan_with_annotations(plan_job, origin: Origin, tmp_path: Path):
    add_samples(tmp_path / "laptop", "gamma")
    origin.commit(tmp_path / "laptop")
    origin.push(tmp_path / "laptop")
    ended = plan_job("invalid")
    assert ended.failed
    assert "::error file=manifests/germline.csv,line=4" in ended.said


def test_a_name_that_is_not_in_the_names_file_fails_the_plan(plan_job, origin: Origin, tmp_path: Path):
    add_samples(tmp_path / "laptop", "gamma,/bam/gamma.bam,true")
    origin.commit(tmp_path / "laptop")
    origin.push(tmp_path / "laptop")
    ended = plan_job("unresolved")
    assert ended.failed
    assert "manifest-runner resolve" in ended.said


# -- what cannot be replayed


def recipe(path: Path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


READS, SIGNS_IN = {"contents": "read"}, {"contents": "read", "id-token": "write"}


@pytest.mark.parametrize(("path", "own"), [
    (GITHUB, {"plan": {**READS, "pull-requests": "write"}, "run": {"contents": "write"}}),
    (GITHUB_BUCKET, {"check": None, "plan": SIGNS_IN, "run": SIGNS_IN}),
    (GITHUB_STATUS, {"status": {"contents": "write"}}),
    (GITHUB_BUCKET_STATUS, {"status": SIGNS_IN}),
])  # fmt: skip
def test_each_job_has_the_least_permissions_and_a_time_out(path, own):
    found = recipe(path)
    assert found["permissions"] == READS
    assert {name: job.get("permissions") for name, job in found["jobs"].items()} == own
    assert all(job["timeout-minutes"] for job in found["jobs"].values())


def test_only_main_launches_and_looks():
    launches = [(GITHUB, "run"), (GITHUB_BUCKET, "run"), (GITHUB_STATUS, "status"), (GITHUB_BUCKET_STATUS, "status")]
    assert all("github.ref == 'refs/heads/main'" in recipe(path)["jobs"][job]["if"] for path, job in launches)


def test_only_the_job_that_launches_has_the_credential_and_it_can_need_approval():
    for path in (GITHUB, GITHUB_BUCKET):
        jobs = recipe(path)["jobs"]
        assert jobs["run"]["environment"] == "ica"
        assert [name for name, job in jobs.items() if "secrets." in json.dumps(job)] == ["run"]
        assert "STATE_WRITER" not in json.dumps([job for name, job in jobs.items() if name != "run"])
    for path in (GITLAB, GITLAB_BUCKET):
        jobs = {name: job for name, job in recipe(path).items() if isinstance(job, dict) and "script" in job}
        assert [name for name, job in jobs.items() if job.get("environment") == "ica"] == ["run"]
        assert all(job["timeout"] for job in jobs.values())


def test_no_launch_is_cancelled_and_one_waits_for_the_other():
    for path in (GITHUB, GITHUB_BUCKET):
        assert recipe(path)["concurrency"]["cancel-in-progress"] == "${{ github.event_name == 'pull_request' }}"
    for path in (GITLAB, GITLAB_BUCKET):
        for name in ("plan", "run"):
            job = recipe(path)[name]
            assert (job["resource_group"], job["interruptible"]) == ("manifest-runner", False)


def test_the_time_limit_of_a_job_is_longer_than_that_of_its_run():
    for path in (GITHUB, GITHUB_BUCKET, GITLAB, GITLAB_BUCKET):
        text = path.read_text(encoding="utf-8")
        launch = recipe(path)["jobs"]["run"]["timeout-minutes"] if "jobs" in recipe(path) else 90
        assert '--expect "$PLAN" --lock-timeout 600 --timeout 3600 ' in " ".join(text.split())
        assert launch * 60 > 600 + 3600
