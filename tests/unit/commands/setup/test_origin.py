"""The user who launches, as named in the lockfile and the lease."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from manifest_runner.commands.setup.origin import user_name


def _env(name: str) -> dict[str, str]:
    git = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": name}
    return {"PATH": os.environ["PATH"], **git}


@pytest.mark.parametrize(
    ("name", "shown"), [("A Person", "A Person"), ("a.person@example.org", "a.person"), ("a\x1bb", "a\\x1bb")]
)
def test_the_user_has_the_name_that_git_knows_but_no_mail_address(tmp_path: Path, name: str, shown: str) -> None:
    assert user_name(tmp_path, _env(name)) == shown


def test_without_a_name_in_git_the_user_has_the_login_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "someone")
    assert user_name(tmp_path, _env("@example.org")) == "someone"
