"""The step of ``action.yml``: runs one command on each manifest, and hands its numbers to the steps that follow.

Everything comes from the environment: COMMAND, MANIFESTS, ARGUMENTS and SUMMARY are the action's inputs; GITHUB_OUTPUT
and GITHUB_STEP_SUMMARY name the files that GitHub reads afterwards.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

_COUNTED = ("new", "changed", "unchanged", "failed", "launches")
_OF_LOCKFILES = ("--lockfile", "--project", "--server-url", "--var")
# GitHub refuses a summary of more than 1 MiB for a step.
_LONGEST_SUMMARY = 200_000
_FENCE = "````"


def main() -> None:
    sys.exit(run_action(os.environ))


def run_action(env: Mapping[str, str]) -> int:
    """The exit code of the step: the highest that a manifest ended with."""
    command, arguments = env["COMMAND"], env["ARGUMENTS"].split()
    codes, documents = [], []
    for manifest in env["MANIFESTS"].split():
        code, document = _run(command, manifest, arguments)
        codes.append(code)
        documents += [document] if document else []
        if env["SUMMARY"] == "true":
            _append(env["GITHUB_STEP_SUMMARY"], _summary(command, manifest, arguments))
    _append(env["GITHUB_OUTPUT"], _outputs(documents, max(codes, default=2)))
    return max(codes, default=2)


def _run(command: str, manifest: str, arguments: Sequence[str]) -> tuple[int, dict[str, Any] | None]:
    """The exit code, and the command's result for the items; ``validate`` annotates the files instead."""
    if command == "validate":
        return _call(command, manifest, *arguments, "--format", "github").returncode, None
    done = _call(command, manifest, *arguments, "--json", capture=True)
    document = _parsed(done.stdout)
    return done.returncode, document if document and "error" not in document else None


def _call(*arguments: str, capture: bool = False) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "manifest_runner", *arguments]
    return subprocess.run(program, check=False, encoding="utf-8", stdout=subprocess.PIPE if capture else None)  # noqa: S603


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _outputs(documents: Sequence[Mapping[str, Any]], code: int) -> str:
    counts = {name: sum(len(document.get(name, ())) for document in documents) for name in _COUNTED}
    needs_approval = any(document.get("approvalNeeded") for document in documents)
    digests = "\n".join(document["planDigest"] for document in documents if document.get("planDigest"))
    lines = [f"{name}={count}" for name, count in counts.items()]
    lines += [f"approvalNeeded={str(needs_approval).lower()}", f"exitCode={code}"]
    return "\n".join([*lines, "planDigest<<end-of-digests", digests, "end-of-digests", ""])


def _summary(command: str, manifest: str, arguments: Sequence[str]) -> str:
    """Markdown: the report of a run, or the output of any other command."""
    if command == "run":
        report = _call("report", manifest, *_shared(arguments), "--format", "markdown", capture=True)
        return report.stdout[:_LONGEST_SUMMARY]
    text = _call(command, manifest, *arguments, capture=True).stdout.replace(_FENCE, "")
    return f"### {command} `{manifest}`\n\n{_FENCE}\n{text[:_LONGEST_SUMMARY]}\n{_FENCE}\n"


def _shared(arguments: Sequence[str]) -> Iterator[str]:
    """The arguments of a run that identify its lockfile."""
    for argument, value in zip(arguments, [*arguments[1:], ""], strict=True):
        name, equals, _ = argument.partition("=")
        if name == "--emulator" or (name in _OF_LOCKFILES and equals):
            yield argument
        elif name in _OF_LOCKFILES:
            yield from (argument, value)


def _append(path: str, text: str) -> None:
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
