from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place
from manifest_runner.errors import Refused, UsageProblem
from manifest_runner.ica.connection.config import Credential, find_credential, find_server, retries_rate_limits
from manifest_runner.ica.connection.server_url import normal_url
from manifest_runner.items.load import find_project
from manifest_runner.loopback import is_loopback
from manifest_runner.manifest.yaml_file import read_mapping

ICA = "https://ica.illumina.com/ica/rest"
SECRET = "s3cr3t-k3y-0123456789"


class Home:
    """A home directory whose YAML files exist as files and whose content is given as values."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.documents: dict[Path, object] = {}

    def put(self, name: str, document: object) -> Path:
        path = self.path / ".icav2" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        self.documents[path] = document
        return path

    def read(self, path: Path) -> Mapping[str, object]:
        document = self.documents[path]
        if isinstance(document, Exception):
            raise document
        return document

    def server(self, flag: str | None = None, **env: str) -> str:
        return find_server(flag, env, self.path, self.read)

    def credential(self, server: str = ICA, **env: str) -> Credential:
        return find_credential(server, env, self.path, self.read)


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


# Which server


def test_the_public_server_is_the_default(home):
    assert home.server() == ICA


def test_each_place_of_the_server_gives_way_to_the_one_before(home):
    home.put("config.yaml", {"server-url": "config.example"})
    assert home.server() == "https://config.example/ica/rest"
    assert home.server(ICAV2_BASE_URL="https://base.example/x/") == "https://base.example/x"
    both = {"ICAV2_BASE_URL": "base.example", "ICAV2_SERVER_URL": "host.example"}
    assert home.server(**both) == "https://host.example/ica/rest"
    assert home.server("https://flag.example", **both) == "https://flag.example/ica/rest"


def test_empty_variables_and_keys_count_as_unset(home):
    home.put("config.yaml", {"server-url": None})
    assert home.server("", ICAV2_SERVER_URL="", ICAV2_BASE_URL="") == ICA


def test_a_broken_config_file_does_not_matter_to_someone_who_set_a_variable(home):
    home.put("config.yaml", OSError(5, "Input/output error"))
    assert home.server(ICAV2_SERVER_URL="ica.illumina.com") == ICA


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("ica.illumina.com", ICA),
        ("HTTPS://ICA.Illumina.COM:443//", ICA),
        ("https://ica.illumina.com/ica/rest/", ICA),
        ("ica.illumina.com:8443", "https://ica.illumina.com:8443/ica/rest"),
        ("http://localhost:8080", "http://localhost:8080/ica/rest"),
        ("http://127.1.2.3:80/Api", "http://127.1.2.3/Api"),
        ("http://[0:0::1]:8080/", "http://[::1]:8080/ica/rest"),
    ],
)
def test_a_server_has_one_spelling(text, url):
    assert normal_url(text, "here") == url
    assert normal_url(url, "here") == url


@pytest.mark.parametrize(
    "text",
    [
        f"https://me:{SECRET}@ica.illumina.com",
        f"https://{SECRET}@ica.illumina.com",
        f"https://ica.illumina.com\\@{SECRET}.example",
        f"https://ica.illumina.com?key={SECRET}",
        f"https://ica.illumina.com#{SECRET}",
        f"ftp://{SECRET}.example",
        f"file:///{SECRET}",
        f"https://{SECRET}.example:0",
        f"https://{SECRET}.example:65536",
        f"https://{SECRET}.example:http",
        f"https://{SECRET}.example /",
        f"https://{SECRET}.example\r\nX: y",
        f"https://{SECRET}.ex\u00e4mple",
        f"https://[{SECRET}]",
        f"https://a..{SECRET}.example",
        f"https:///{SECRET}",
        f"http://{SECRET}.example",
        f"http://127.1/{SECRET}",
        f"http://localhost.{SECRET}.example",
        "https://ica.illumina.com?",
        "https://ica.illumina.com#",
        "https://",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://[::2]",
    ],
)
def test_a_url_that_could_leak_or_mislead_is_refused_and_not_shown(home, text):
    with pytest.raises(UsageProblem) as caught:
        home.server(ICAV2_BASE_URL=text)
    assert str(caught.value).startswith("ICAV2_BASE_URL: ")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::", False),
        ("128.0.0.1", False),
        ("a", False),
    ],
)
def test_loopback_is_only_this_machine(host, expected):
    assert is_loopback(host) is expected


def test_a_server_in_the_config_file_must_be_text(home):
    path = home.put("config.yaml", {"server-url": ["a"]})
    with pytest.raises(UsageProblem, match="server-url is not text") as caught:
        home.server()
    assert str(path) in str(caught.value)


# Which credential


def test_each_credential_gives_way_to_the_one_before(home):
    home.put("config.yaml", {"x-api-key": "config-key"})
    assert home.credential().value == "config-key"
    home.put(".session.ica.yaml", {"access-token": "session-token"})
    assert home.credential().value == "Bearer session-token"
    assert home.credential(ICAV2_X_API_KEY="env-key").value == "env-key"
    both = home.credential(ICAV2_X_API_KEY="env-key", ICAV2_ACCESS_TOKEN="env-token")
    assert both == Credential("Authorization", "Bearer env-token", "ICAV2_ACCESS_TOKEN")


def test_a_key_goes_into_its_own_header(home):
    assert home.credential(ICAV2_X_API_KEY=SECRET) == Credential("X-API-Key", SECRET, "ICAV2_X_API_KEY")


@pytest.mark.parametrize(
    ("server", "name"),
    [
        ("https://ica.illumina.com/ica/rest", ".session.ica.yaml"),
        ("https://stage.v2.example:8443/x", ".session.stage.yaml"),
        ("http://localhost:8080/ica/rest", ".session.localhost.yaml"),
    ],
)
def test_the_session_file_is_that_of_the_servers_first_label(home, server, name):
    home.put(".session.other.yaml", {"access-token": "wrong"})
    home.put(name, {"access-token": "right"})
    assert home.credential(server).secret == "right"


def test_a_credential_never_shows_itself(home):
    credential = home.credential(ICAV2_ACCESS_TOKEN=SECRET)
    assert credential.secret == SECRET
    assert SECRET not in f"{credential!r} {credential}"


def test_the_line_end_of_a_file_is_not_part_of_the_key(home):
    assert home.credential(ICAV2_X_API_KEY=f" {SECRET}\r\n").value == SECRET


@pytest.mark.parametrize("bad", ["\n", "\r", "\0", "\x1b", "\x7f", "\u0085", "\u2028", "€", "\ud800"])
@pytest.mark.parametrize("name", ["ICAV2_ACCESS_TOKEN", "ICAV2_X_API_KEY"])
def test_a_credential_that_no_header_can_hold_is_refused_unseen(home, name, bad):
    with pytest.raises(Refused, match=name) as caught:
        home.credential(**{name: f"{SECRET}{bad}X-Injected: yes"})
    assert SECRET not in str(caught.value)


def test_without_a_credential_the_message_lists_where_it_was_looked_for(home):
    home.put("config.yaml", {"x-api-key": None})
    with pytest.raises(Refused) as caught:
        home.credential(ICAV2_ACCESS_TOKEN="  ", ICAV2_X_API_KEY="")
    for place in ("ICAV2_ACCESS_TOKEN", "ICAV2_X_API_KEY", ".session.ica.yaml", "config.yaml"):
        assert place in str(caught.value)


def test_an_encrypted_key_is_explained_and_not_used(home):
    path = home.put("config.yaml", {"x-api-key": object()})
    with pytest.raises(Refused, match=r"stored the key encrypted.*set ICAV2_X_API_KEY") as caught:
        home.credential()
    assert str(path) in str(caught.value)
    assert home.credential(ICAV2_X_API_KEY="mine").value == "mine"


def test_a_session_token_that_is_not_text_is_not_used(home):
    home.put(".session.ica.yaml", {"access-token": 5})
    with pytest.raises(Refused, match="access-token is not text"):
        home.credential()


@pytest.mark.parametrize("name", ["config.yaml", ".session.ica.yaml"])
def test_an_unreadable_file_is_named(home, name):
    path = home.put(name, OSError(5, "Input/output error"))
    with pytest.raises(UsageProblem, match="Input/output error") as caught:
        home.credential()
    assert str(path) in str(caught.value)


def test_a_corrupt_file_is_named_without_its_content(home):
    path = home.path / ".icav2" / "config.yaml"
    finding = Finding(Place(str(path), 3), "MR103", f"odd: {SECRET}")
    home.put("config.yaml", InvalidManifest([finding]))
    with pytest.raises(UsageProblem, match="cannot be read as YAML") as caught:
        home.credential()
    assert f"{path}:3:" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_file_in_place_of_the_folder_counts_as_missing(tmp_path):
    (tmp_path / ".icav2").touch()
    assert Home(tmp_path).server() == ICA


# Which project, and how


def test_each_project_gives_way_to_the_one_before():
    env = {"ICAV2_PROJECT_ID": "p-env"}
    assert find_project("p-flag", "p-manifest", env) == "p-flag"
    assert find_project(None, "p-manifest", env) == "p-manifest"
    assert find_project(None, None, env) == "p-env"


def test_no_project_is_wrong_use():
    with pytest.raises(UsageProblem, match="--project"):
        find_project(None, None, {"ICAV2_PROJECT_ID": ""})


@pytest.mark.parametrize("project", ["..", "a/b", "a?b", "a b", "-a", "a\nb", "ä"])
def test_a_project_is_an_id_and_nothing_that_changes_a_path(project):
    with pytest.raises(UsageProblem, match="project"):
        find_project(project, None, {})


@pytest.mark.parametrize(("value", "retried"), [(None, True), ("", True), ("0", True), ("1", False), ("true", False)])
def test_rate_limits_are_retried_unless_the_environment_says_no(value, retried):
    env = {} if value is None else {"ICAV2_ICA_NO_RETRY_RATE_LIMITING": value}
    assert retries_rate_limits(env) is retried


def test_a_key_of_digits_alone_is_a_key(tmp_path):
    (tmp_path / ".icav2").mkdir()
    (tmp_path / ".icav2" / "config.yaml").write_text("x-api-key: 123456789012\n")
    found = find_credential("https://ica.illumina.com/ica/rest", {}, tmp_path, partial(read_mapping, binary=True))
    assert (found.header, found.value) == ("X-API-Key", "123456789012")
