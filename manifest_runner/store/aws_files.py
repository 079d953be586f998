"""AWS credentials in files, which object_store does not read itself."""

from __future__ import annotations

import configparser
import shlex
from collections.abc import Mapping
from pathlib import Path

_OF_ENVIRONMENT = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "region")


def aws_options(env: Mapping[str, str], home: Path) -> dict[str, str]:
    """The settings of the profile ``AWS_PROFILE`` that the environment lacks; empty if that has a credential."""
    found = {key: value for key, value in _profile(_name(env), env, home).items() if key in _KEYS}
    if any(env.get(name) for name in _OF_ENVIRONMENT):
        found = {"region": found["region"]} if "region" in found else {}
    if env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION"):
        found.pop("region", None)
    return found


def aws_credential_words(env: Mapping[str, str], home: Path) -> str:
    """The variables to set, and the fault of the profile in use: it may get its keys from a sign-in or a role."""
    keys, name = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", _name(env)
    found = _profile(name, env, home)
    if any(env.get(each) for each in _OF_ENVIRONMENT) or "aws_access_key_id" in found:
        return f"{keys}, or a profile in ~/.aws"
    if found:
        command = f"aws configure export-credentials --profile {shlex.quote(name)} --format env"
        return f"{keys}: the profile {name!r} in ~/.aws holds no keys itself (`{command}` prints some)"
    return f"{keys}, or a profile in ~/.aws" + (f", which has no {name!r}" if env.get("AWS_PROFILE") else "")


def _name(env: Mapping[str, str]) -> str:
    return env.get("AWS_PROFILE") or "default"


def _profile(profile: str, env: Mapping[str, str], home: Path) -> dict[str, str]:
    """The settings of a profile in both files."""
    found: dict[str, str] = {}
    for variable, name, section in (
        ("AWS_SHARED_CREDENTIALS_FILE", "credentials", profile),
        ("AWS_CONFIG_FILE", "config", profile if profile == "default" else f"profile {profile}"),
    ):
        path = Path(env[variable]) if variable in env else home / ".aws" / name
        found = {**_section(path, section), **found}
    return found


def _section(path: Path, section: str) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError):
        # Another tool's file, and only one of several sources: if no other has a credential, the store's error says
        # which variables to set.
        return {}
    if not parser.has_section(section):
        return {}
    return {key: value for key, value in parser.items(section) if value}
