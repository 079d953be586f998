"""The source of a report, and the links and commands for it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

import msgspec

from manifest_runner.lockfile.model import EMULATOR_SERVER


class ReportSource(msgspec.Struct, frozen=True):
    """The facts for a report that are not in the lockfile.

    ``manifest`` is the manifest's file name as the user knows it, ``generated_at`` an RFC 3339 time, and ``web_url``
    (``https://HOST``) the web pages of the server, None if it has none: then the report has no links.
    ``pipeline_names`` has the pipelines' names in the manifest by id, as far as they are known.
    """

    manifest: str
    generated_at: str
    web_url: str | None = None
    pipeline_names: Mapping[str, str] = {}


def command_for(name: str, source: ReportSource, server: str, *options: str) -> str:
    """A command line to continue with, such as ``manifest-runner status study.yaml``."""
    return command_line(name, source.manifest, server == EMULATOR_SERVER, *options)


def command_line(name: str, manifest: str, is_trial: bool, *options: str) -> str:
    """The same for any manifest; in a trial the command has --emulator."""
    return shlex.join(["manifest-runner", name, manifest, *options, *(["--emulator"] if is_trial else [])])


def ica_web_url(server: str) -> str | None:
    """The web pages that belong to an API's base URL; None if the server is not ICA."""
    try:
        parts = urlsplit(server)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    is_ica = host == "illumina.com" or host.endswith(".illumina.com")
    return f"https://{host}" if parts.scheme == "https" and is_ica and port is None else None


def analysis_link(web_url: str | None, project: str, analysis_id: str | None) -> str | None:
    """The page of an analysis; see "hyperlink to data" at https://help.ica.illumina.com/project/p-data."""
    if analysis_id is None or web_url is None or not web_url.startswith("https://"):
        return None
    return f"{web_url}/ica/link/project/{quote(project, safe='')}/analysis/{quote(analysis_id, safe='')}"
