"""Names looked up on a real server: with few requests, exactly, whatever the server's oddities."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from manifest_runner.emulator import EmulatorOptions, execution_record, running
from manifest_runner.emulator.oddities import parse_oddities
from manifest_runner.errors import Refused
from manifest_runner.ica.client import Client
from manifest_runner.ica.connection.config import Credential
from manifest_runner.ica.connection.retry import Deadline
from manifest_runner.model import Name
from manifest_runner.names.resolver import Resolver

PROJECT = "7595e8f2-32d3-4c76-a324-c6a85dae87b5"
DATA = "GET /api/projects/{projectId}/data"
STUDY = f"projects:\n  - {{name: study, id: {PROJECT}}}\n"


class Lab:
    def __init__(self, resolver, database, warnings):
        self.resolver = resolver
        self._database = database
        self.warnings = warnings

    def requests(self):
        return execution_record.requests(self._database)

    def look_up(self, *names):
        return self.resolver.look_up(names)

    def data(self, *paths):
        """The data at paths, and the messages for paths without data."""
        found = self.look_up(*(Name("data", path) for path in paths))
        ids = {name.key: entry.id for name, entry in found.entries.items() if name.kind == "data"}
        return ids, {name.key: failure.message for name, failure in found.failures.items()}


@pytest.fixture
def lab(tmp_path):
    @contextmanager
    def open_lab(catalog=None, *oddities):
        database, file = tmp_path / "emulator.sqlite3", tmp_path / "catalog.yaml"
        if catalog is not None:
            file.write_text("catalog: 1\n" + catalog)
        options = EmulatorOptions(
            database=database, catalog=None if catalog is None else file, oddities=parse_oddities(list(oddities))
        )
        warnings = []
        with (
            running(options) as url,
            Client(
                url + "/ica/rest",
                Credential("X-API-Key", "key-of-test", "the test"),
                PROJECT,
                deadline=Deadline.after(60),
            ) as client,
        ):
            yield Lab(Resolver(client, lambda code, words: warnings.append((code, words))), database, warnings)

    return open_lab


# -- few requests

LONG = "/projects/some_longer_project_name/runs/20261123_A01234_0042"


@pytest.mark.parametrize(
    ("entries", "paths", "most"),
    [
        (
            [LONG + "/S{0001..1000}_R{1,2}.fastq.gz"],
            [f"{LONG}/S{i:04}_R{r}.fastq.gz" for i in range(1, 1001) for r in (1, 2)],
            3,
        ),
        (
            [LONG + "/{0..9}/S{001..100}_R{1,2}.fastq.gz"],
            [f"{LONG}/{k}/S{i:03}_R{r}.fastq.gz" for k in range(10) for i in range(1, 101) for r in (1, 2)],
            13,
        ),
        (
            [f"{LONG}/S{i:04}/S{i:04}_R{{1,2}}.fastq.gz" for i in range(1, 1001)],
            [f"{LONG}/S{i:04}/S{i:04}_R{r}.fastq.gz" for i in range(1, 1001) for r in (1, 2)],
            45,
        ),
        (
            [LONG[:30] + "/S{00001..09000}_R{1,2}.fastq.gz"],
            [f"{LONG[:30]}/S{i:05}_R{r}.fastq.gz" for i in range(1, 9001, 9) for r in (1, 2)],
            45,
        ),
    ],
    ids=["one folder", "ten folders", "a folder for each sample", "among many other files"],
)
def test_two_thousand_paths_take_few_requests(lab, entries, paths, most):
    assert len(paths) == 2000
    with lab(STUDY + "data:\n" + "".join(f"  - {entry}\n" for entry in entries)) as study:
        found, failed = study.data(*paths)
        assert (len(found), failed) == (2000, {})
        assert study.requests()[DATA] <= most


def test_a_thousand_ids_take_twelve_requests_and_foreign_ones_are_named(lab):
    with lab(STUDY + "data:\n  - /x/S{0001..1000}.txt\n  - {path: /p, status: PARTIAL}\n") as study:
        ids, _ = study.data(*[f"/x/S{i:04}.txt" for i in range(1, 1001)], "/p")
        before = study.requests()[DATA]
        assert study.resolver.check_ids(ids.values()) == {}
        assert study.requests()[DATA] - before <= 12
        (failure,) = study.resolver.check_ids(["fil." + "0" * 32]).values()
        assert 'write data of another project as "icav2://PROJECT/path"' in failure.message


PIPELINE = """pipelines:
  - code: Germline
    inputs: [{code: fastqs, required: true, multiValue: true}]
    parameters: [{code: format, type: optionsType, required: true, options: [BAM, CRAM], default: CRAM}]
  - code: Form
    form: {fields: [{id: sample, type: textbox, minValues: 1}]}
  - {code: Old, status: Archived}
  - {code: New, status: Draft}
  - {code: Twice, id: 11111111-1111-4111-8111-111111111111}
  - {code: Twice, id: 22222222-2222-4222-8222-222222222222}
"""


def test_a_pipeline_with_all_that_it_declares_takes_eight_requests(lab):
    with lab(STUDY + PIPELINE) as study:
        found = study.look_up(Name("pipelines", "Germline"), Name("storages", "Small"))
        entry = found.entries[Name("pipelines", "Germline")]
        assert entry.kind == "nextflow"
        assert [(each.code, each.required, each.multi_value) for each in entry.inputs] == [("fastqs", True, True)]
        assert [(each.code, each.options, each.default) for each in entry.parameters] == [
            ("format", ("BAM", "CRAM"), ("CRAM",))
        ]
        assert study.requests().total() <= 8
        by_id = study.look_up(Name("pipelines", entry.id)).entries[Name("pipelines", entry.id)]
        assert by_id == entry


def test_a_form_is_fetched_as_its_file_has_it(lab):
    with lab(STUDY + PIPELINE) as study:
        (entry,) = study.look_up(Name("pipelines", "Form")).entries.values()
        assert (entry.kind, entry.form) == ("nextflowJson", ({"id": "sample", "type": "textbox", "minValues": 1},))


# -- exactly


def test_of_a_path_the_case_counts_and_the_spelling_of_a_folder_does_not(lab):
    with lab(STUDY + "data: [/a/Sample.txt, /a/out/, /b/x/, {path: /b/x}]\n") as study:
        found, failed = study.data("/a/Sample.txt", "/a/sample.txt", "/a/out", "/a/out/", "/b/x", "/b/x/")
        assert found["/a/out"] == found["/a/out/"]
        assert found["/b/x"].startswith("fil.")
        assert found["/b/x/"].startswith("fol.")
        assert failed == {"/a/sample.txt": 'no data at "/a/sample.txt"; case matters, and there is "/a/Sample.txt"'}


def test_what_does_not_exist_is_said_with_what_is_near(lab):
    with lab(STUDY + PIPELINE + "data: [/fastq/S1_R1.fastq.gz]\n") as study:
        _, failed = study.data("/fastq/S1_R3.fastq.gz", "/fasta/S1.fa", "/fastq/S1_R1.fastq.gz;/fastq/S1_R2.fastq.gz")
        assert failed["/fastq/S1_R3.fastq.gz"].endswith('did you mean "/fastq/S1_R1.fastq.gz"?')
        assert failed["/fasta/S1.fa"].endswith('the folder "/fasta/" does not exist, or is empty')
        assert "it holds several: `| split(';')`" in failed["/fastq/S1_R1.fastq.gz;/fastq/S1_R2.fastq.gz"]
        found = study.look_up(Name("pipelines", "Germlin"), Name("storages", "smal"), Name("projects", "studi"))
        assert [failure.message for failure in found.failures.values()] == [
            'no project named "studi", or this credential may not see it; did you mean "study"?',
            'no analysis storage is named "smal"; did you mean "Small"?',
            'the project has no pipeline "Germlin"; did you mean "Germline"?',
        ]


def test_of_several_the_only_available_one_is_meant_and_else_all_are_listed(lab):
    data = "data:\n  - {path: /a, status: PARTIAL, id: fil.1}\n  - {path: /a, id: fil.2}\n"
    data += "  - {path: /b, id: fil.3}\n  - {path: /b, id: fil.4}\n  - {path: /c, status: ARCHIVED, id: fil.5}\n"
    with lab(STUDY + PIPELINE + data) as study:
        found, failed = study.data("/a", "/b", "/c")
        assert found == {"/a": "fil.2"}
        assert (
            failed["/b"] == '"/b" stands for 2 data: fil.3 (AVAILABLE), fil.4 (AVAILABLE); write the id of one of them'
        )
        assert failed["/c"] == '"/c" (fil.5) is ARCHIVED: unarchive it first'
        (failure,) = study.look_up(Name("pipelines", "Twice")).failures.values()
        assert "11111111" in failure.message
        assert "22222222" in failure.message


def test_a_pipeline_that_cannot_be_started_is_a_failure_and_a_draft_is_a_warning(lab):
    with lab(STUDY + PIPELINE) as study:
        found = study.look_up(Name("pipelines", "Old"), Name("pipelines", "New"))
        assert [failure.code for failure in found.failures.values()] == ["MR709"]
        assert list(study.resolver.remarks.values()) == [("MR709", 'the pipeline "New" is a draft; it may change')]


def test_data_of_another_project_and_region_are_found_there(lab):
    catalog = (
        STUDY + "  - {name: my lab, region: us-east-1}\n"
        "data:\n  - {path: /ref/x.tar, project: my lab}\n  - {path: '/a b#1+2%20.txt', project: my lab}\n"
    )
    with lab(catalog) as study:
        typo = "icav2://my lab/ref/y.tar"
        found, failed = study.data("icav2://my lab/ref/x.tar", "icav2://my%20lab/a b#1+2%20.txt", "/ref/x.tar", typo)
        assert len(found) == 2
        assert sorted(failed) == ["/ref/x.tar", typo]
        assert failed[typo].endswith('did you mean "icav2://my lab/ref/x.tar"?')
        assert {remark.code for remark in study.resolver.remarks.values()} == {"MR708"}
        assert set(found) <= study.resolver.remarks.keys()


def test_what_is_in_a_linked_folder_is_found_though_listings_do_not_show_it(lab):
    catalog = (
        STUDY + "  - {name: my lab}\ndata:\n  - {path: /shared/, project: my lab, linkedTo: [study]}\n"
        "  - {path: '/shared/S{001..150}.fq', project: my lab}\n  - /own/S.fq\n"
    )
    paths = [f"/shared/S{number:03}.fq" for number in range(1, 151)]
    with lab(catalog) as study:
        found, failed = study.data(*paths, "/shared/S999.fq", "/own/S.fq")
        assert found.keys() == {*paths, "/own/S.fq"}
        assert list(failed) == ["/shared/S999.fq"]


@pytest.mark.parametrize(
    "path", ["/a b.txt", "/a+b.txt", "/a%20b.txt", "/a#1.txt", "/a?x=1&y.txt", "/漢字/ü.txt", "/a'().txt"]
)
def test_paths_of_any_characters_are_found(lab, path):
    with lab(
        STUDY + f"data: [{{path: {path!r}}}]\n" if "'" not in path else STUDY + f'data: [{{path: "{path}"}}]\n'
    ) as study:
        assert study.data(path)[1] == {}


# -- odd servers


@pytest.mark.parametrize(
    "oddity", ["no-v4", "short-pages=2", "max-url=1000", "ignore-filters", "exact-slashes", "no-pipeline-search"]
)
def test_odd_servers_give_the_same_answers(lab, oddity):
    catalog = STUDY + PIPELINE + "data:\n  - /fastq/S{001..120}_R{1,2}.fastq.gz\n  - /out/a/\n"
    paths = [f"/fastq/S{i:03}_R{r}.fastq.gz" for i in range(1, 121) for r in (1, 2)]
    with lab(catalog, oddity) as study:
        found, failed = study.data(*paths, "/out/a", "/out/A", "/fastq/S001_R9.fastq.gz")
        assert found.keys() == {*paths, "/out/a"}
        assert failed["/out/A"].endswith('case matters, and there is "/out/a"')
        assert list(study.resolver.check_ids([*found.values(), "fil.gone"])) == ["fil.gone"]
        assert study.look_up(Name("pipelines", "Germline"), Name("storages", "Small")).failures == {}


@pytest.mark.parametrize("oddities", [["ignore-filters"], ["ignore-filters", "short-pages=50"]])
def test_of_a_server_that_ignores_filters_data_on_later_pages_are_found(lab, oddities):
    catalog = STUDY + "data:\n  - /a/S{0001..1200}.fq\n  - {path: /z/last.fq, id: fil.last}\n  - /z/out/\n"
    with lab(catalog, *oddities) as study:
        found, failed = study.data("/z/last.fq", "/a/S1199.fq", "/z/out", "/z/LAST.fq", "/z/gone.fq")
        assert found.keys() == {"/z/last.fq", "/a/S1199.fq", "/z/out"}
        assert failed["/z/LAST.fq"].endswith('case matters, and there is "/z/last.fq"')
        assert "/z/gone.fq" in failed
        assert list(study.resolver.check_ids(["fil.last", "fil.gone"])) == ["fil.gone"]


def test_without_a_look_at_pipelines_a_code_cannot_be_resolved_and_an_id_is_a_warning(lab):
    with lab(STUDY + PIPELINE, "forbid-pipelines") as study:
        (entry,) = study.look_up(Name("pipelines", "11111111-1111-4111-8111-111111111111")).entries.values()
        assert entry.inputs is None
        assert {code for code, _ in study.warnings} == {"MR710"}
        with pytest.raises(Refused) as refused:
            study.look_up(Name("pipelines", "Germline"))
        assert refused.value.exit_code == 4


def test_without_a_catalog_everything_that_is_named_in_full_exists(lab):
    with lab() as anywhere:
        names = [Name("pipelines", "Any"), Name("projects", "Any"), Name("storages", "Small"), Name("data", "/a/b.txt")]
        assert anywhere.look_up(*names, Name("data", "/a/b"), Name("data", "/a/b/")).failures == {}
