"""The codes of findings: what each means and how to mend it. ``docs/errors.md`` is made from this table.

A code never changes its meaning; one that is no longer raised is not used for anything else.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """``cause`` says how one comes by it, ``cure`` what to do; ``example`` is a part of a manifest, or of a row."""

    title: str
    cause: str
    cure: str
    example: str = ""


CODES: dict[str, Code] = {
    "MR101": Code(
        "The file cannot be read",
        "It is a folder or a device, it may not be read, or it is larger than a manifest can be.",
        "Name the right file. Rows by the thousand belong into a csv file, which is streamed.",
    ),
    "MR102": Code(
        "Not text in UTF-8",
        "The file was saved in another encoding, or it is a spreadsheet or compressed.",
        "Save it as text in UTF-8; from a spreadsheet, as “CSV UTF-8”.",
    ),
    "MR103": Code(
        "Not valid YAML",
        "A quote or a bracket is not closed, the indentation is uneven or made of tabs, or a text that YAML reads "
        "as something else is not quoted.",
        "Mend the line. A template must be quoted, for `{` opens a mapping.",
        "userReference: {{ row.sample }}",
    ),
    "MR104": Code(
        "Empty file", "The file holds nothing, or comments only.", "`manifest-runner init` writes a starter."
    ),
    "MR105": Code(
        "Not a mapping", "A settings file of the icav2 CLI holds something else.", "Let the icav2 CLI write it anew."
    ),
    "MR106": Code(
        "A second document",
        "`---` starts another YAML document.",
        "Make a manifest of each; `run` takes several.",
        "---",
    ),
    "MR107": Code(
        "No number of JSON's",
        "`.inf`, `.nan`, or a number of more than a thousand digits.",
        "Quote it if it is meant as text.",
        "depth: .inf",
    ),
    "MR108": Code(
        "Unsupported tag",
        "`!!python/…`, `!!binary` and tags of other tools would be more than data.",
        "Write the value plainly.",
        "sample: !!python/name:os.system",
    ),
    "MR109": Code(
        "Duplicate key",
        "One mapping has the key twice, and one of the values would be lost.",
        "Remove one. Several mappings are merged with `<<: [*a, *b]`.",
        "tags: {userTags: [a], userTags: [b]}",
    ),
    "MR110": Code(
        "A key that is no text",
        "A list, a mapping or null stands where a key should. Most often a template is not quoted.",
        "Quote it.",
        "{{ name }}: x",
    ),
    "MR111": Code(
        "Too much",
        "More values, more levels or more aliases than any manifest has: a bomb, or rows that belong elsewhere.",
        "Put the rows into a csv file.",
    ),
    "MR112": Code(
        "Alias without an anchor",
        "`*name` stands for what `&name` marks above it, and there is none.",
        'Quote the text if it is meant to start with "*".',
        "path: *.fastq.gz",
    ),
    "MR113": Code("Merge of no mapping", "`<<` merges mappings.", "Give it a mapping, or a list of them.", "<<: text"),
    "MR201": Code(
        "Against the manifest's schema",
        "An unknown or missing key, a value of another type, a kind that does not exist.",
        "The message says what is allowed; the manifest reference has it all.",
        "userRefrence: a",
    ),
    "MR202": Code(
        "A variable that templates may not read",
        "Its name looks like a credential's, or its value is not UTF-8.",
        "Choose another variable. What templates read reaches the API and the logs of analyses.",
        "env: [GITHUB_TOKEN]",
    ),
    "MR301": Code(
        "No such file",
        "The samplesheet or the row schema does not exist, or cannot be read.",
        "Paths are relative to the manifest.",
        "forEach: {csv: sampels.csv}",
    ),
    "MR302": Code(
        "No usable header",
        "The first line must name the columns; an Illumina SampleSheet has several headers.",
        "Name each column; give the `section` of a SampleSheet.",
        "forEach: {csv: SampleSheet.csv, section: BCLConvert_Data}",
    ),
    "MR303": Code("Duplicate column", "Two columns have one name.", "Rename one.", "sample,fastq,sample"),
    "MR304": Code(
        "A ragged row",
        "It has more or fewer cells than the header.",
        "Fill it, or quote a cell that holds the delimiter.",
    ),
    "MR305": Code(
        "Not readable as a table",
        "A quote is not closed, or text follows a closing quote.",
        'Close the quote; a quote inside a quoted cell is written twice: `"a ""b"" c"`.',
    ),
    "MR306": Code(
        "Not a list of rows",
        "A json or yaml samplesheet, `rows` or a `matrix` has another shape, or is not JSON at all.",
        "A samplesheet is a list of mappings, a matrix a mapping of lists.",
        "matrix: {depth: 30}",
    ),
    "MR307": Code("A row breaks its schema", "The JSON Schema under `forEach.schema` refuses it.", "Mend the row."),
    "MR308": Code(
        "Not a JSON Schema",
        "The file under `forEach.schema` is not JSON, or not a schema, or refers to another file.",
        "Mend it; keep it in one file, nothing is fetched.",
    ),
    "MR401": Code(
        "Not a template",
        "Braces are not closed, a filter does not exist, or `where` has braces: it is an expression already.",
        "The template reference lists filters and tests.",
        'where: "{{ row.lane }}"',
    ),
    "MR402": Code(
        "An unknown name",
        "The samplesheet has no such column, `vars` no such entry, or the environment variable is not listed or set.",
        "Mend the name. `default('…')` makes a value optional.",
        'userReference: "{{ row.sampel }}"',
    ),
    "MR403": Code(
        "More than a template may do",
        "It reads Python's attributes, includes files, makes texts without end, or puts a list or null into text; or "
        "the manifest has thousands of different templates.",
        "Say it more simply; a list becomes text with `join` or `to_json`.",
        "{{ row.sample.__class__ }}",
    ),
    "MR404": Code(
        "The template fails",
        "The expression cannot be computed for this row, as with a division by zero.",
        "The cells of a table are text: `row.lane | int` is a number.",
        "{{ row.lane + 1 }}",
    ),
    "MR405": Code(
        "A value that does not fit",
        "The rendered value has no place in the API's item, such as a number that is too large.",
        "Mend the template.",
        "depth: '{{ 1e308 * 10 }}'",
    ),
    "MR406": Code(
        "A template as a key",
        "Keys are the same for every row.",
        "Use the API's own list, whose values can be templates.",
        '"{{ row.code }}": x',
    ),
    "MR407": Code("No revision", "A revision is a whole number.", "Mend the template.", 'revision: "{{ row.sample }}"'),
    "MR501": Code(
        "Against the API's rules",
        "The rendered item would be refused: a field is missing, too long or of another form.",
        "The message names the field and what the API wants.",
        'userReference: "a+b"',
    ),
    "MR502": Code(
        "userReference twice",
        "Two items have one userReference, which is what identifies them.",
        "Let it depend on a column that is different in each row.",
    ),
    "MR503": Code(
        "Not JSON",
        "A text of the rendered item is no Unicode: half of a surrogate pair.",
        "Mend the template or the value.",
        """tags: {userTags: ['{{ "\\ud800" }}']}""",
    ),
    "MR601": Code(
        "Two items write to one place",
        "Their outputs go to one path of one project, so one would overwrite the other's results.",
        "Put something of the row into `targetPath`, or set `actionOnExist: RENAME`.",
    ),
    "MR602": Code(
        "A column that no template uses",
        "Most often a typo in a template that has a default.",
        "Use it, or remove it. More than ten of them are information only.",
    ),
    "MR603": Code("A var that nothing uses", "It is left over, or misspelled elsewhere.", "Remove it."),
    "MR604": Code(
        "An analysis without rows",
        "Its samplesheet has a header only, or `where` holds for none of the rows. This is information, no warning.",
        "Mend the condition if items are expected. The cells of a table are text: compare with `'1'`, or use `| int`.",
        "where: row.lane == 1",
    ),
    "MR605": Code(
        "An input without data",
        "A cell is empty, and so is the data id that is made of it, or the list of them. This is information, no "
        "warning: the API takes it, and the pipeline may not.",
        "Fill the cell, drop the row with `where`, or leave the input out where the cell is empty: null does that.",
        'bed: "{{ row.bed or none }}"',
    ),
}
