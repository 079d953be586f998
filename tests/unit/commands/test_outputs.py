"""Outputs are asked for once, recorded, and downloaded completely."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
from commands.outcome_lab import Study, study
from msgspec import structs

from manifest_runner.cli.views.outputs import outputs_lines
from manifest_runner.commands.outcomes.download import DownloadOptions
from manifest_runner.commands.outputs import OutputsReport, outputs
from manifest_runner.emulator.execution_record import LEAKS, requests
from manifest_runner.emulator.oddities import parse_oddities
from manifest_runner.errors import UsageProblem

CATALOG = """\
analyses:
  - {userReference: ^bad, outcome: failed}
  - outputs:
      vcf: ["vcf/{userReference}.vcf.gz", {path: vcf/deep/notes.txt, text: "notes of {userReference}"}]
      report: [{path: report.html, text: "<p>{userReference}</p>"}]
"""


def ask(lab: Study, folder: Path | None = None, *include: str, **choices: object) -> OutputsReport:
    into = None if folder is None else DownloadOptions(folder, include)
    return outputs(lab.path, lab.target, lab.choose(**choices), lab.context, into)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_outputs_are_asked_once_and_kept_in_the_item(tmp_path):
    with study(tmp_path, "a", "b", "bad", catalog=CATALOG) as lab:
        lab.run()
        report = ask(lab)
        assert (list(report.items), report.unfinished) == (["a", "b"], ("bad",))
        before = (tmp_path / "study.lock.json").read_bytes()
        assert ask(lab).items == report.items
        assert (tmp_path / "study.lock.json").read_bytes() == before
        assert lab.asked("/outputs") == 2
        recorded = lab.items()["a"]["outputs"]
        assert {code: [sorted(each) for each in data] for code, data in recorded.items()} == {
            "report": [["dataId", "name", "type"]],
            "vcf": [["dataId", "name", "type"]] * len(recorded["vcf"]),
        }
        assert "outputs" not in lab.items()["bad"]


def test_a_run_records_them_too(tmp_path):
    with study(tmp_path, "a", catalog=CATALOG) as lab:
        lab.run(outputs=True)
        assert sorted(lab.items()["a"]["outputs"]) == ["report", "vcf"]
        ask(lab)
        assert lab.asked("/outputs") == 1


def test_only_the_targets_are_asked_for(tmp_path):
    with study(tmp_path, "a", "b", catalog=CATALOG) as lab:
        lab.run()
        assert list(ask(lab, targets=("b*",)).items) == ["b"]
        assert lab.asked("/outputs") == 1
        with pytest.raises(UsageProblem, match="no launched item's userReference matches"):
            ask(lab, targets=("zzz",))


def test_files_are_fetched_once_and_without_a_credential(tmp_path):
    with study(tmp_path, "a", "b", catalog=CATALOG) as lab:
        lab.run()
        folder = tmp_path / "results"
        done = ask(lab, folder).downloaded
        assert done is not None
        assert (done.fetched, done.present, done.missing) == (6, 0, ())
        assert {path.rpartition("/")[2] for path in files(folder)} == {
            "a.vcf.gz", "b.vcf.gz", "notes.txt", "report.html",
        }  # fmt: skip
        assert (folder / "a/report.html").read_text() == "<p>a</p>"
        again = ask(lab, folder).downloaded
        assert again is not None
        assert (again.fetched, again.present) == (0, 6)
        assert requests(lab.database)["GET /files"] == 6
        assert requests(lab.database)[LEAKS] == 0


def test_a_glob_without_a_slash_matches_names(tmp_path):
    with study(tmp_path, "a", catalog=CATALOG) as lab:
        lab.run()
        ask(lab, tmp_path / "one", "*.vcf.gz")
        assert [path.rpartition("/")[2] for path in files(tmp_path / "one")] == ["a.vcf.gz"]
        ask(lab, tmp_path / "two", "*/deep/*")
        assert [path.rpartition("/")[2] for path in files(tmp_path / "two")] == ["notes.txt"]


def test_a_file_of_another_launch_is_fetched_again_though_its_size_is_the_same(tmp_path):
    with study(tmp_path, "a", catalog=CATALOG) as lab:
        lab.run()
        folder = tmp_path / "results"
        ask(lab, folder, "report.html")
        stale = folder / "a/report.html"
        stale.write_text("<p>z</p>")
        os.utime(stale, (1_700_000_000, 1_700_000_000))
        done = ask(lab, folder, "report.html").downloaded
        assert done is not None
        assert (done.fetched, stale.read_text()) == (1, "<p>a</p>")


def test_items_whose_names_stand_for_one_folder_do_not_overwrite_each_other(tmp_path):
    with study(tmp_path, "a", "/a", catalog=CATALOG) as lab:
        lab.run(no_check=True)
        done = ask(lab, tmp_path / "results").downloaded
        assert done is not None
        assert (done.fetched, len(files(tmp_path / "results")), len(done.missing)) == (4, 4, 2)
        assert all("the same path" in each.reason for each in done.missing)


@pytest.mark.parametrize(("oddity", "reason"), [
    ("redirected", "never followed"), ("missing", "does not have it"), ("short", "ICA says"),
])  # fmt: skip
def test_what_cannot_be_fetched_is_missing_and_leaves_no_file(tmp_path, oddity, reason):
    with study(tmp_path, "a", catalog=CATALOG, oddities=parse_oddities([f"downloads={oddity}"])) as lab:
        lab.run()
        done = ask(lab, tmp_path / "results").downloaded
        assert done is not None
        assert (done.fetched, len(done.missing)) == (0, 3)
        assert all(reason in each.reason for each in done.missing)
        assert not [name for name in files(tmp_path / "results") if not name.endswith(".part")]


@pytest.mark.parametrize("oddity", ["downloads=cut", "downloads=whole", "ignore-filters"])
def test_a_download_that_breaks_off_resumes_where_it_stopped(tmp_path, oddity):
    """And lists of everything do no harm."""
    with study(tmp_path, "a", catalog=CATALOG, oddities=parse_oddities([oddity])) as lab:
        lab.run(no_check=True)
        folder = tmp_path / "results"
        done = ask(lab, folder).downloaded
        assert done is not None
        assert (done.fetched, done.missing) == (3, ())
        assert (folder / "a/report.html").read_text() == "<p>a</p>"
        assert not [name for name in files(folder) if name.endswith(".part")]


def test_an_interrupted_download_is_resumed_by_the_next_command(tmp_path):
    """^C comes when the first bytes of the second file arrive; files complete by then are not fetched again."""
    big = "analyses: [{outputs: {a: [{path: a.bin, size: 1000}, {path: b.bin, size: 3000000}]}}]"
    with study(tmp_path, "s", catalog=big) as lab:
        lab.run()
        folder, has_ended = tmp_path / "results", threading.Event()

        def interrupt(stage: str, done: int, _total: int | None) -> None:
            if has_ended.is_set():
                raise RuntimeError("the process has ended")
            if stage == "MB" and done >= 1:
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
                has_ended.wait(30)
                raise RuntimeError("the process has ended")

        quiet, lab.context = lab.context, structs.replace(lab.context, progress=interrupt)
        with pytest.raises(KeyboardInterrupt):
            ask(lab, folder)
        has_ended.set()
        assert not (folder / "s/b.bin").exists()
        assert lab.items()["s"]["outputs"]
        lab.context = quiet
        done = ask(lab, folder).downloaded
        assert done is not None
        assert (done.missing, done.fetched + done.present) == ((), 2)
        assert (folder / "s/b.bin").stat().st_size == 3_000_000
        assert [name for name in files(folder) if name.endswith(".part")] == []


def test_a_glob_that_matches_no_file_is_reported(tmp_path):
    with study(tmp_path, "a", catalog=CATALOG) as lab:
        lab.run()
        report = ask(lab, tmp_path / "results", "*.bam")
        assert "no file matches --include" in [*outputs_lines(report)]


def test_names_that_would_leave_the_folder_are_refused(tmp_path):
    with study(tmp_path, "a", catalog=CATALOG) as lab:
        lab.run()
        ask(lab)
        path = tmp_path / "study.lock.json"
        path.write_text(path.read_text().replace('"name": "report.html"', '"name": "../../report.html"'))
        done = ask(lab, tmp_path / "deep/results", "*report.html").downloaded
        assert done is not None
        assert [each.reason for each in done.missing] == [
            "its name is not a valid file name, or leads out of the folder"
        ]
        assert not list(tmp_path.rglob("report.html"))
