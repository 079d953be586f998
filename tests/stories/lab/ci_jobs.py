"""Replays the jobs of a CI recipe: its steps in bash, in a clone, as the CI system would run them.

Understands only what the recipes use; anything else raises KeyError, so a recipe cannot outgrow its test unseen.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import served_cli
import yaml

RECIPES = Path(__file__).parents[3] / "examples" / "ci"
GITHUB = RECIPES / "github" / "manifest-runner.yml"
GITHUB_BUCKET = RECIPES / "github" / "state-in-a-bucket.yml"
GITHUB_STATUS = RECIPES / "github" / "status.yml"
GITHUB_BUCKET_STATUS = RECIPES / "github" / "status-of-state-in-a-bucket.yml"
GITLAB = RECIPES / "gitlab" / ".gitlab-ci.yml"
GITLAB_BUCKET = RECIPES / "gitlab" / "state-in-a-bucket.gitlab-ci.yml"
_EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")


@dataclass
class Origin:
    """A bare repository, and the environment in which all its clones live."""

    path: Path
    env: dict[str, str]

    @property
    def url(self) -> str:
        """With a protocol, so that shallow clones are shallow."""
        return self.path.as_uri()

    def git(self, folder: Path, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, env=self.env, capture_output=True, encoding="utf-8", check=False
        )
        assert done.returncode == 0, f"git {arguments}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def clone(self, folder: Path, *options: str) -> Path:
        self.git(self.path, "clone", "-q", *options, self.url, str(folder))
        return folder

    def show(self, path: str) -> str:
        return self.git(self.path, "show", f"main:{path}")

    def commit(self, folder: Path, message: str = "change") -> None:
        self.git(folder, "add", "-A")
        self.git(folder, "commit", "-qm", message)

    def push(self, folder: Path) -> None:
        self.git(folder, "push", "-q", "origin", "HEAD:main")


@dataclass
class Ended:
    """A job that has ended: what each step printed, and whether the job failed."""

    failed: bool = False
    said: str = ""
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    artifacts: list[str] = field(default_factory=list)


def install(folder: Path, served: str) -> str:
    """A folder for PATH where `manifest-runner` is this one and `pip` does nothing; a test may add scripts."""
    folder.mkdir(exist_ok=True)
    client = shlex.join([sys.executable, "-I", "-S", served_cli.__file__, served])
    script(folder / "manifest-runner", f'exec {client} "$@"')
    script(folder / "pip", "exit 0")
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/bash\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


# -- GitHub


def github_job(name: str, origin: Origin, folder: Path, known: dict[str, str], path: Path = GITHUB) -> Ended:
    """Run one job of a recipe. ``known`` has the value of each expression that it uses, but for those of steps."""
    recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    job, ended = recipe["jobs"][name], Ended()
    of_the_event = {"inputs.options": "", "inputs.where": "", **known}
    env = {key: _filled(value, of_the_event) for key, value in recipe["env"].items()}
    known = {**{f"env.{key}": value for key, value in env.items()}, **known}
    values = {**known, "always()": "true"}
    for step in job["steps"]:
        wanted = step.get("if", "success()")
        values["success()"] = str(not ended.failed).lower()
        if not _holds(wanted, values):
            continue
        if ended.failed and "always()" not in wanted:
            continue
        outcome = _step(step, env, origin, folder, values, ended)
        if "id" in step:
            values[f"steps.{step['id']}.outcome == 'failure'"] = str(not outcome).lower()
        ended.failed |= not outcome
    for output, expression in job.get("outputs", {}).items():
        step_output = _EXPRESSION.fullmatch(expression)[1].rpartition(".")[2]
        assert step_output == output
    return ended


def _holds(condition: str, values: dict[str, str]) -> bool:
    return all(values[part.strip()] == "true" for part in condition.split("&&"))


def _step(
    step: dict[str, Any], env: dict[str, str], origin: Origin, folder: Path, values: dict[str, str], ended: Ended
) -> bool:
    given = {name: _filled(value, values) for name, value in step.get("with", {}).items()}
    match step.get("uses", "").partition("@")[0]:
        case "":
            own = {name: _filled(value, values) for name, value in step.get("env", {}).items()}
            return _bash(step["run"], {**env, **own}, origin, folder, ended)
        case "actions/checkout":
            ref = given.get("ref", "main").removeprefix("refs/heads/")
            if re.fullmatch("[0-9a-f]{40}", ref):
                origin.git(origin.clone(folder), "checkout", "-q", "--detach", ref)
            else:
                origin.clone(folder, "--depth", "1", "--branch", ref)
        case "actions/setup-python":
            assert given["python-version"]
        case "aws-actions/configure-aws-credentials":
            assert given.keys() == {"role-to-assume", "aws-region"}
        case "actions/upload-artifact":
            found = [path for pattern in given["path"].split() for path in folder.glob(pattern)]
            ended.artifacts += sorted(str(path.relative_to(folder)) for path in found)
        case other:
            raise KeyError(other)
    return True


def _filled(value: object, values: dict[str, str]) -> str:
    return _EXPRESSION.sub(lambda found: values[found[1]], str(value))


def _bash(text: str, env: dict[str, str], origin: Origin, folder: Path, ended: Ended) -> bool:
    """GitHub's own shell: `bash -e`."""
    files = {name: folder.with_name(f"{folder.name}.{name}") for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")}
    for path in files.values():
        path.touch()
    done = _run(
        ["bash", "-e", "-c", text], {**env, **{name: str(path) for name, path in files.items()}}, origin, folder
    )
    ended.said += done.stdout + done.stderr
    ended.summary = files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8")
    lines = files["GITHUB_OUTPUT"].read_text(encoding="utf-8").splitlines()
    ended.outputs = dict(line.split("=", 1) for line in lines)
    return done.returncode == 0


# -- GitLab


def gitlab_job(
    name: str, origin: Origin, folder: Path, commit: str, known: dict[str, str], path: Path = GITLAB
) -> Ended:
    """Run one job of a recipe on a detached checkout of ``commit``, all of its script in one shell."""
    recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    job = recipe[name]
    origin.clone(folder)
    origin.git(folder, "checkout", "-q", "--detach", commit)
    given = {key: value["value"] if isinstance(value, dict) else value for key, value in recipe["variables"].items()}
    env = {key: value.replace("$CI_PROJECT_DIR", str(folder)) for key, value in given.items()}
    # The server of the recipe is https; here it is a folder.
    origin.git(folder, "config", f"url.{origin.url}.insteadOf", "https://oauth2:t0ken@gitlab.example/lab/study.git")
    done = _run(["bash", "-eo", "pipefail", "-c", "\n".join(_flat(job["script"]))], {**env, **known}, origin, folder)
    found = [path for pattern in job["artifacts"].get("paths", ()) for path in folder.glob(pattern)]
    artifacts = sorted(str(path.relative_to(folder)) for path in found)
    ended = Ended(done.returncode != 0, done.stdout + done.stderr, artifacts=artifacts)
    if not ended.failed and (variables := job["artifacts"].get("reports", {}).get("dotenv")):
        lines = (folder / variables).read_text(encoding="utf-8").splitlines()
        ended.outputs = dict(line.split("=", 1) for line in lines)
    return ended


def _flat(script: list[Any]) -> Iterator[str]:
    """GitLab accepts nested lists, which anchors produce."""
    for line in script:
        yield from [line] if isinstance(line, str) else _flat(line)


def _run(command: list[str], env: dict[str, str], origin: Origin, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env={**origin.env, "PUSH_RETRY_SECONDS": "0", **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
