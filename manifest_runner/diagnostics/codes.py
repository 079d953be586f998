"""The codes of findings: what each means and how to fix it. ``docs/errors.md`` is made from this table.

A code never changes its meaning; one that is no longer raised is never reused.
"""

from __future__ import annotations

import msgspec


class Code(msgspec.Struct, frozen=True):
    """``cause`` says how the finding comes about, ``cure`` what to do; ``example`` is part of a manifest or row."""

    title: str
    cause: str
    cure: str
    example: str = ""


CODES: dict[str, Code] = {
    "MR101": Code(
        "Unreadable file",
        "The path is a folder or a device, permission is denied, or the file is too large for a manifest.",
        "Check the path. Put thousands of rows in a CSV file, which is read row by row.",
    ),
    "MR102": Code(
        "Not UTF-8 text",
        "The file was saved in another encoding, or it is a spreadsheet or a compressed file.",
        "Save it as UTF-8 text; from a spreadsheet, choose “CSV UTF-8”.",
    ),
    "MR103": Code(
        "Invalid YAML",
        "A quote or bracket is not closed, the indentation is uneven or uses tabs, or a text that means something "
        "else in YAML is not quoted.",
        "Fix the line. Quote templates, because `{` starts a mapping.",
        "userReference: {{ row.sample }}",
    ),
    "MR104": Code(
        "Empty file",
        "The file is empty or has only comments.",
        "`manifest-runner init` writes a manifest to start from.",
    ),
    "MR105": Code(
        "Not a mapping",
        "A settings file of the icav2 CLI does not contain settings.",
        "Let the icav2 CLI write it again.",
    ),
    "MR106": Code(
        "Second document",
        "`---` starts another YAML document, but a file holds one manifest.",
        "Split the file into one manifest each; `run` accepts several.",
        "---",
    ),
    "MR107": Code(
        "Not a JSON number",
        "JSON has no `.inf` or `.nan`, and numbers of more than a thousand digits are not supported.",
        "Quote it if it is meant as text.",
        "depth: .inf",
    ),
    "MR108": Code(
        "Unsupported tag",
        "Tags such as `!!python/…` and `!!binary` describe more than plain data.",
        "Write the value without a tag.",
        "sample: !!python/name:os.system",
    ),
    "MR109": Code(
        "Duplicate key",
        "A mapping has the same key twice, and one of the values would be lost.",
        "Remove one of them. To merge several mappings, use `<<: [*a, *b]`.",
        "tags: {userTags: [a], userTags: [b]}",
    ),
    "MR110": Code(
        "Key is not text",
        "A list, a mapping or null is used as a key. Usually a template is not quoted.",
        "Quote it.",
        "{{ name }}: x",
    ),
    "MR111": Code(
        "Too large",
        "The file has more values, levels or aliases than a manifest can need: it is malicious, or it holds rows that "
        "belong in another file.",
        "Move the rows to a CSV file.",
    ),
    "MR112": Code(
        "Alias without an anchor",
        "`*name` repeats what `&name` marks further up, but there is no such anchor.",
        'Quote the text if it really starts with "*".',
        "path: *.fastq.gz",
    ),
    "MR113": Code(
        "Merge of something other than a mapping",
        "`<<` merges mappings.",
        "Give it a mapping or a list of mappings.",
        "<<: text",
    ),
    "MR201": Code(
        "Manifest does not match its schema",
        "A key is unknown or missing, a value has the wrong type, or a kind does not exist.",
        "The message says what is allowed; the manifest reference lists everything.",
        "userRefrence: a",
    ),
    "MR202": Code(
        "Forbidden environment variable",
        "The variable's name looks like that of a credential, or its value is not UTF-8. What templates read reaches "
        "the API and the logs of analyses.",
        "Use another variable.",
        "env: [GITHUB_TOKEN]",
    ),
    "MR203": Code(
        "A move that cannot be followed",
        "`moved` gives one item two former names, names an item that is still in the manifest, or goes in a circle; or "
        "its two patterns have different parts.",
        "Keep the entries that are true: each former name once, each item once, and no former name that is still used.",
        "moved:\n  - {from: a, to: c}\n  - {from: b, to: c}",
    ),
    "MR301": Code(
        "File not found",
        "The samplesheet or row schema does not exist or cannot be read.",
        "Check the path; it is relative to the manifest.",
        "forEach: {csv: sampels.csv}",
    ),
    "MR302": Code(
        "Unusable header",
        "The first line must name the columns; an Illumina SampleSheet has several headers.",
        "Name every column; for a SampleSheet, set `section`.",
        "forEach: {csv: SampleSheet.csv, section: BCLConvert_Data}",
    ),
    "MR303": Code("Duplicate column", "Two columns have the same name.", "Rename one of them.", "sample,fastq,sample"),
    "MR304": Code(
        "Wrong number of cells",
        "The row has more or fewer cells than the header.",
        "Complete the row, or quote a cell that contains the delimiter.",
    ),
    "MR305": Code(
        "Unreadable table",
        "A quote is not closed, or text follows a closing quote.",
        'Close the quote; inside a quoted cell, write a quote twice: `"a ""b"" c"`.',
    ),
    "MR306": Code(
        "Not a list of rows",
        "A JSON or YAML samplesheet, `rows` or a `matrix` has the wrong shape, or the file is not JSON at all.",
        "A samplesheet is a list of mappings; a matrix is a mapping of lists.",
        "matrix: {depth: 30}",
    ),
    "MR307": Code(
        "Row does not match its schema", "The JSON Schema under `forEach.schema` rejects the row.", "Fix the row."
    ),
    "MR308": Code(
        "Invalid row schema",
        "The file under `forEach.schema` is not JSON or not a JSON Schema, or it refers to another file.",
        "Fix it, and keep it in one file: nothing is fetched.",
    ),
    "MR309": Code(
        "A row that is commented out",
        "It starts with `#`, as rows do that somebody wants to hold back.",
        'Add `comment: "#"` beside the file to leave such rows out. If `#` belongs to the data, name another text.',
        "#P2,fil.1,female",
    ),
    "MR310": Code(
        "An error value of Excel",
        "A cell of a column that a template uses is `#N/A`, `#REF!` or the like, or holds a formula whose result the "
        "file does not store.",
        "Correct the cell. For a formula without a result, open the file in Excel and save it.",
        "P1,#N/A",
    ),
    "MR311": Code(
        "Two rows of a table with one key",
        "A look-up in the table would find two rows.",
        "Remove one, add a column to the `key`, or set `many: true`: then a look-up gives the list of all rows.",
        "tables: {lanes: {csv: fastq_list.csv, key: RGSM}}",
    ),
    "MR312": Code(
        "A column that one of several files lacks",
        "All files of a source must have the same columns, in any order.",
        "Add the column, or name the files in analyses of their own.",
        "forEach: {csv: [old.csv, new.csv]}",
    ),
    "MR313": Code(
        "A requirement does not hold",
        "An item does not meet a rule under `require`; the message is the rule's own.",
        "Correct the row, or the rule.",
        'require: [{that: "row.coverage | int >= 30", else: "coverage below 30"}]',
    ),
    "MR316": Code(
        "Outputs that are not recorded",
        "A template reads `row.outputs` of another manifest's items, and nobody has asked ICA for them yet.",
        "Run `manifest-runner outputs` on that manifest, or run it with --outputs.",
        "forEach: {launched: germline.yaml}",
    ),
    "MR401": Code(
        "Invalid template",
        "Braces are not closed, a filter does not exist, or `where` has braces although it is an expression already.",
        "The template reference lists the filters and tests.",
        'where: "{{ row.lane }}"',
    ),
    "MR402": Code(
        "Unknown name",
        "The samplesheet has no such column, `vars` has no such entry, or the environment variable is not listed in "
        "`env` or not set.",
        "Correct the name. `default('…')` makes a value optional.",
        'userReference: "{{ row.sampel }}"',
    ),
    "MR403": Code(
        "Forbidden in a template",
        "The template reads Python attributes, includes files, builds text of excessive size, or puts a list or null "
        "into text; or the manifest has thousands of different templates.",
        "Simplify it; `join` and `to_json` turn a list into text.",
        "{{ row.sample.__class__ }}",
    ),
    "MR404": Code(
        "Template failed",
        "The expression cannot be evaluated for this row, for example because it divides by zero.",
        "Cells of a table are text; `row.lane | int` makes a number.",
        "{{ row.lane + 1 }}",
    ),
    "MR405": Code(
        "Value does not fit",
        "The API's item cannot hold the rendered value, such as a number that is too large.",
        "Change the template.",
        "depth: '{{ 1e308 * 10 }}'",
    ),
    "MR406": Code(
        "Template in a key",
        "Keys are the same for every row.",
        "Write the list that the API takes; its values can be templates.",
        '"{{ row.code }}": x',
    ),
    "MR407": Code(
        "Invalid revision", "A revision is a whole number.", "Change the template.", 'revision: "{{ row.sample }}"'
    ),
    "MR501": Code(
        "Item breaks the API's rules",
        "The API would reject the rendered item: a field is missing, too long or malformed.",
        "The message names the field and what the API expects.",
        'userReference: "a+b"',
    ),
    "MR502": Code(
        "Duplicate userReference",
        "Two items have the same userReference, which is their identity.",
        "Build it from a column that differs in every row.",
    ),
    "MR503": Code(
        "Not valid Unicode",
        "A text of the rendered item contains half of a surrogate pair, which JSON cannot represent.",
        "Change the template or the value.",
        """tags: {userTags: ['{{ "\\ud800" }}']}""",
    ),
    "MR504": Code(
        "Not ICA data",
        "A URL, a blank, JSON text, a spreadsheet error or part of an id stands where data is expected.",
        "Write a path in the project (`/fastq/S1_R1.fastq.gz`), `icav2://PROJECT/path` for data of another project, "
        "a data id (`fil.…`, `fol.…`) or a URN. Data outside ICA belongs under `externalData`.",
        'fastqs: "s3://bucket/S1_R1.fastq.gz"',
    ),
    "MR505": Code(
        "Not an id or a name",
        "`pipelineId` is neither a UUID nor a URN, or a name is blank.",
        "Write a pipeline's code under `pipeline` and its id under `pipelineId`.",
        "pipelineId: DRAGEN-Germline-4-3-6",
    ),
    "MR601": Code(
        "Two items write to the same place",
        "Their outputs have the same path in the same project, so one would overwrite the other's results.",
        "Use a column of the row in `targetPath`, or set `actionOnExist: RENAME`.",
    ),
    "MR602": Code(
        "Unused column",
        "No template uses this column. Often a template with a default misspells it.",
        "Use it or remove it. More than ten unused columns are reported as information only.",
    ),
    "MR603": Code(
        "Unused var", "Nothing uses this entry of `vars`, or its name is misspelled elsewhere.", "Remove it."
    ),
    "MR604": Code(
        "Analysis without rows",
        "The samplesheet has only a header, or `where` matches no row.",
        "If you expect items, fix the condition. Cells of a table are text: compare with `'1'`, or use `| int`.",
        "where: row.lane == 1",
    ),
    "MR605": Code(
        "Input without data",
        "The list of data is empty, as the `split` of an empty cell is. This is information, not a warning: the API "
        "accepts it, but the pipeline may not.",
        "Fill the cell, exclude the row with `where`, or leave the input out with null when the cell is empty.",
        'bed: "{{ row.bed or none }}"',
    ),
    "MR606": Code(
        "Blanks around cells",
        "Cells start or end with spaces, no-break spaces or characters without width, as copy and paste leaves them. "
        "They are removed.",
        "Remove them from the file. `trim: false` beside the file keeps them.",
        "P1 , fil.1",
    ),
    "MR607": Code(
        "A userReference that depends on index",
        "If a row is deleted or added above it, every item below gets another name, and is launched again.",
        "Use a column that identifies the row.",
        'userReference: "sample-{{ index }}"',
    ),
    "MR608": Code(
        "One data id twice in one input",
        "An item has the same data id or path twice in one input. Most often a cell was copied.",
        "Correct the cell.",
        "P1,fil.1;fil.1",
    ),
    "MR609": Code(
        "Data that two rows share",
        "Two items use the same data as the same input: a copied cell, or a shared normal. This is information, not a "
        "warning.",
        "Correct the cell if it was copied.",
    ),
    "MR610": Code(
        "Items that give no row",
        "Some items of the manifest that `launched` names have not ended, or have failed.",
        "Nothing has to be done: they give rows once they have succeeded. `manifest-runner status` shows how they do.",
        "forEach: {launched: germline.yaml}",
    ),
    "MR611": Code(
        "A move to a name that no item has",
        "The entry of `moved` does nothing: its item has left the manifest, or the name is misspelled.",
        "Correct the name, or remove the entry.",
    ),
    "MR701": Code(
        "Name cannot be resolved",
        "No data, pipeline, storage or project has this name, several do, or the credential may not see it.",
        "The message lists what is similar or what matches. An id always works in place of the name.",
        "pipeline: DRAGEN-Germlin",
    ),
    "MR702": Code(
        "Pipeline of another kind",
        "The manifest says CWL but the pipeline is Nextflow, for example, or the pipeline takes a form.",
        "Correct `kind`, and give the input the way that kind takes it.",
        "kind: cwl",
    ),
    "MR703": Code(
        "Unknown input, parameter or field",
        "The code is misspelled, or belongs to another version of the pipeline.",
        "The message names the most similar code; `manifest-runner schema manifest --for MANIFEST` gives editors all "
        "of them.",
        "parameters: {enable_cvn: true}",
    ),
    "MR704": Code(
        "Required input or parameter is missing",
        "The pipeline declares it as required and has no default for it.",
        "Add it.",
    ),
    "MR705": Code(
        "Several values where one is allowed",
        "The pipeline takes a single file, folder or value there.",
        "Keep one, or make one item for each.",
    ),
    "MR706": Code(
        "Value that the pipeline does not accept",
        "The value is not one of the options, or does not have the declared type.",
        "The message says what the pipeline accepts.",
        "output_format: CRMA",
    ),
    "MR707": Code(
        "Data not available",
        "An upload is not complete (PARTIAL), the data is archived or being deleted, or no longer exist.",
        "Finish the upload or restore the data; `manifest-runner resolve --update` looks paths up again.",
    ),
    "MR708": Code(
        "Data in another region",
        "The data is in another region than the project that runs the analysis. This is a warning.",
        "Copy them to the region of the project if the analysis cannot read them.",
    ),
    "MR709": Code(
        "Pipeline not released",
        "It is a draft, which may change, or deprecated (a warning); or archived, and cannot be started (an error).",
        "Use a released pipeline.",
    ),
    "MR710": Code(
        "Declaration cannot be read",
        "The credential may not see what the pipeline declares, so codes and values are not checked (a warning).",
        "Ask for access to the pipeline, or run with `--no-check`.",
    ),
    "MR711": Code(
        "Name not in the names file",
        "The manifest names data, a pipeline, a storage or a project that nobody has looked up yet.",
        "`manifest-runner resolve` looks it up and writes the names file; `run` does so by itself.",
    ),
}
