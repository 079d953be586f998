"""Patterns of samplesheets match like a shell's, and look at each folder once."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifest_runner.rows import patterns
from manifest_runner.rows.patterns import TooManyFiles, matching_files

FILES = (
    "a.csv",
    "b.tsv",
    "runs/1/a.csv",
    "runs/1/deep/x/b.csv",
    "runs/2/[1].csv",
    "runs/.ipynb_checkpoints/a.csv",
    "runs/1/.hidden.csv",
    "runs/1/~$a.csv",
)


@pytest.fixture
def folder(tmp_path):
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "runs" / "link").symlink_to("1")
    (tmp_path / "folder.csv").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.csv", ["a.csv"]),
        ("*.?sv", ["a.csv", "b.tsv"]),
        ("runs/*/a.csv", ["runs/1/a.csv", "runs/link/a.csv"]),
        ("runs/[12]/*.csv", ["runs/1/a.csv", "runs/2/[1].csv"]),
        ("runs/2/[[]1].csv", ["runs/2/[1].csv"]),
        ("**/*.csv", ["a.csv", "runs/1/a.csv", "runs/1/deep/x/b.csv", "runs/2/[1].csv"]),
        ("**/**/b.csv", ["runs/1/deep/x/b.csv"]),
        ("runs/**/x/*", ["runs/1/deep/x/b.csv"]),
        ("runs/.ipynb*/*", ["runs/.ipynb_checkpoints/a.csv"]),
        ("runs/1/.h*", ["runs/1/.hidden.csv"]),
        ("runs/*/../1/a.csv", ["runs/1/../1/a.csv", "runs/2/../1/a.csv"]),
        ("none/*", []),
        ("a.csv/*", []),
    ],
)
def test_a_pattern_matches_files_as_in_a_shell(folder, pattern, found):
    matching = sorted(matching_files(folder, pattern))
    assert [each.as_posix() for each in matching if "link/.." not in str(each)] == found
    assert sorted(matching_files(Path("/elsewhere"), str(folder / pattern))) == [folder / each for each in matching]


def test_a_folder_whose_name_the_locale_cannot_encode_does_not_exist(folder):
    """As ä in a locale without it; there is always a surrogate."""
    assert list(matching_files(folder, "\ud800/*.csv")) == []


def test_many_wildcards_over_deep_folders_take_no_longer(tmp_path):
    (tmp_path / "/".join(["a"] * 60)).mkdir(parents=True)
    assert list(matching_files(tmp_path, "**/a/" * 15 + "*.csv")) == []


def test_a_pattern_over_too_many_files_is_refused(folder, monkeypatch):
    monkeypatch.setattr(patterns, "MAX_SEEN", 5)
    with pytest.raises(TooManyFiles):
        list(matching_files(folder, "**/*.csv"))


def test_folders_may_be_nested_more_deeply_than_python_recurses(tmp_path):
    deepest = tmp_path.joinpath(*["d"] * 500)
    deepest.mkdir(parents=True)
    (deepest / "s.csv").touch()
    assert list(matching_files(tmp_path, "**/*.csv")) == [deepest.relative_to(tmp_path) / "s.csv"]
    assert list(matching_files(tmp_path, "**/d/**/s.csv")) == [deepest.relative_to(tmp_path) / "s.csv"]
