"""``report``: write a manifest's lockfile in one of several formats."""

from __future__ import annotations

from pathlib import Path

from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.opened_manifest import find_lockfile, trial_lockfile, workspace_of
from manifest_runner.commands.setup.options import Target
from manifest_runner.errors import BadState, UsageProblem
from manifest_runner.files import replace_file
from manifest_runner.lockfile.model import Lockfile
from manifest_runner.manifest.yaml_file import require_manifest
from manifest_runner.names.names_file import names_path, read_names
from manifest_runner.report import ReportSource, Style, ica_web_url, write_report
from manifest_runner.timestamps import timestamp


def report(manifest: Path, target: Target, style: Style, context: Context) -> str:
    """The lockfile as a report. Raises UsageProblem if there is no lockfile yet."""
    found = find_lockfile(manifest, target, context)
    state = found.lockfile
    if state is None:
        require_manifest(manifest)
        trial = trial_lockfile(manifest, target)
        hint = f"; {trial} is from a trial: add --emulator to see it" if trial else ""
        raise UsageProblem(f"{found.where}: there is no lockfile yet; `manifest-runner run` writes it{hint}")
    names = _pipeline_names(manifest, target, state) if style == "html" else {}
    source = ReportSource(str(manifest), timestamp(context.clock()), ica_web_url(state.server), names)
    return write_report(state, style, source=source)


def _pipeline_names(manifest: Path, target: Target, lockfile: Lockfile) -> dict[str, str]:
    """The manifest's names of pipelines by id. Without a names file that fits, the report shows the ids."""
    try:
        file = names_path(manifest, is_trial=target.emulator)
        names = read_names(file, project=lockfile.project, server=lockfile.server)
    except BadState:
        return {}
    return names.by_id("pipelines")


def report_path(manifest: Path, target: Target) -> Path:
    """Where the page goes unless the user names a file: beside the manifest."""
    return workspace_of(manifest, target).folder / f"{manifest.stem}.report.html"


def save_report(text: str, output: Path, manifest: Path, target: Target) -> None:
    """Write a report. Raises UsageProblem if the folder does not exist, or if the file must not be replaced."""
    if not output.parent.is_dir():
        raise UsageProblem(f"{output.parent}: there is no such folder")
    if output.resolve() in (manifest.resolve(), workspace_of(manifest, target).lockfile.resolve()):
        raise UsageProblem(f"{output}: a report must not replace the manifest or its lockfile; name another file")
    replace_file(output, text.encode())
