"""Mistakes of people: each ends with one clear message on standard error, exit code 2, and nothing on standard output.

The messages are what people read when something is wrong, so they are compared whole.
"""

import json
import resource
import struct
from functools import partial
from pathlib import Path

import pytest

from tests.cli.conftest import SUMS

SHIPPED = (
    "aqua, arithmetic, bbh-date-understanding, contacts, dates, gsm8k-cot, gsm8k-zero-shot, mmlu, sentiment, "
    "strategyqa, support-chat"
)
KEYS = "about, align, chat, choose, data, examples, extends, generate, model, name, prompt, score"
STEPS = "choice, first, lower, map, number, python, regex, strip"


def with_line(old, new):
    """The pipeline with one thing changed."""
    assert old in SUMS
    return SUMS.replace(old, new)


WRONG_FILES = {
    "no YAML": (
        "name: a: b\n",
        """\
p.yaml:1:8: not YAML: a second ': ' on one line
    1 | name: a: b
               ^
    put quotes around text that holds ': '
""",
    ),
    "a list that never closes": (
        "align: [number\nname: x\n",
        """\
p.yaml:2:5: not YAML: expected ',' or ']', but got ':'
    2 | name: x
            ^
""",
    ),
    "a tab": (
        "align:\n\t- number\n",
        """\
p.yaml:2:1: not YAML: a tab where YAML wants spaces
    2 |  - number
        ^
    indent with spaces only
""",
    ),
    "an empty file": ("", "p.yaml:1:1: the file is empty\n"),
    "no UTF-8": (b"name: caf\xe9\n", "p.yaml: is not UTF-8 text: byte 9 is 0xe9\n"),
    "UTF-16": ("name: x\n".encode("utf-16"), "p.yaml: is not UTF-8 text: byte 0 is 0xff\n"),
    "a binary file": (bytes(range(9)), "p.yaml: is not text: it holds the character '\\x00'\n"),
    "a list": (
        "- number\n",
        """\
p.yaml:1:1: must be a map, not ['number']
    1 | - number
        ^
""",
    ),
    "an unknown step": (
        "align:\n  - regx: 'a'\n",
        f"""\
p.yaml:2:5: align[0]: no step is called 'regx'
    2 |   - regx: 'a'
            ^
    known: {STEPS}   did you mean 'regex'?
""",
    ),
    "a duplicate key": (
        "name: a\nalign: [number]\nname: b\n",
        """\
p.yaml:3:1: the key 'name' stands here twice
    3 | name: b
        ^
    first at line 1
""",
    ),
    "a template with a syntax error": (
        'prompt:\n  - query: "Q: {{ question }\\nA:"\n',
        """\
p.yaml:2:12: prompt[0].query: template: unexpected '}'
    2 |   - query: "Q: {{ question }\\nA:"
                   ^
""",
    ),
    "a block template with a syntax error in its second line": (
        "prompt:\n  - query: |\n      Q: {{ question }}\n      A: {% if %}\n",
        """\
p.yaml:4:1: prompt[0].query: template: expected an expression, got 'end of statement block'
    4 |       A: {% if %}
        ^
""",
    ),
    "a folded template with a syntax error": (
        "prompt:\n  - query: >\n      Q: {{ question }}\n\n      A: {% if %}\n",
        """\
p.yaml:2:12: prompt[0].query: template: expected an expression, got 'end of statement block'
    2 |   - query: >
                   ^
""",
    ),
    "a template that reaches for __class__": (
        "prompt:\n  - query: '{{ question.__class__ }}'\n",
        """\
p.yaml:2:12: prompt[0].query: template: '__class__' is out of a template's reach
    2 |   - query: '{{ question.__class__ }}'
                   ^
""",
    ),
    "a regex that does not compile": (
        "align:\n  - regex: '(a'\n",
        """\
p.yaml:2:12: align[0].regex: the pattern does not compile: missing ) at character 3
    2 |   - regex: '(a'
                   ^
""",
    ),
    "stages": (
        "stages: [{name: a}]\n",
        """\
p.yaml:1:1: stages: several stages are not built yet; this version runs pipelines of one stage
    1 | stages: [{name: a}]
        ^
""",
    ),
    "matrix": (
        "matrix: {generate.seed: [1, 2]}\n",
        """\
p.yaml:1:1: matrix: sweeps are not built yet; `--set path=value` runs one variant at a time
    1 | matrix: {generate.seed: [1, 2]}
        ^
""",
    ),
    "generate and choose": (
        "generate: {max_new_tokens: 5}\nchoose: {options: [a, b]}\n",
        """\
p.yaml:2:1: choose: `generate` and `choose` are two ways to run a model: give one
    2 | choose: {options: [a, b]}
        ^
""",
    ),
    "system without chat": (
        "prompt:\n  - query: x\n  - system: Be brief.\n",
        """\
p.yaml:3:5: prompt[1]: the step 'system' needs `chat: true`
    3 |   - system: Be brief.
            ^
""",
    ),
    "python without --allow-code": (
        "align:\n  - python: mine:read\n",
        """\
p.yaml:2:13: align[0].python: names Python code (mine:read), which runs only with --allow-code
    2 |   - python: mine:read
                    ^
""",
    ),
    "several samples that are all the same": (
        "generate: {samples: 3}\n",
        """\
p.yaml:1:11: generate: several samples at temperature 0 are all the same
    1 | generate: {samples: 3}
                  ^
""",
    ),
    "an example that expects nothing": (
        "examples:\n  - completion: x\n",
        """\
p.yaml:2:5: examples[0]: needs `answer`, `status`, or both
    2 |   - completion: x
            ^
""",
    ),
}
UNKNOWN_KEYS = {  # the text, the column in its last line, the way to the key, what is known, what was meant
    "nme: x": (1, "nme", KEYS, "name"),
    "data:\n  tset: a.jsonl": (3, "data.tset", "fields, id, target, test, train, validation", "test"),
    "data:\n  test: {file: a.jsonl}": (
        10,
        "data.test.file",
        "config, fields, files, hub, local, revision, rows, split",
        "files",
    ),
    "prompt:\n  - query: {text: a, txt: x}": (22, "prompt[0].query.txt", "text", "text"),
    "generate:\n  max_tokens: 5": (
        3,
        "generate.max_tokens",
        "max_new_tokens, samples, seed, stop, temperature, top_k, top_p",
        "max_new_tokens",
    ),
    "choose: {options: [a, b], led: x}": (27, "choose.led", "lead, normalize, options, unconditional_prompt", "lead"),
    "align:\n  - regex: {pattern: a, tke: last}": (
        25,
        "align[0].regex.tke",
        "dotall, group, ignore_case, multiline, pattern, take, timeout_s",
        "take",
    ),
    "model:\n  scripted: {deflt: x}": (
        14,
        "model.scripted.deflt",
        "default, rules",
        "default",
    ),
    "score:\n  - exact_match: {ass: x}": (19, "score[0].exact_match.ass", "as, ignore_case, ignore_white_space", "as"),
    "examples:\n  - {completion: x, answer: 1, feilds: {}}": (
        32,
        "examples[0].feilds",
        "answer, completion, ended, fields, status",
        "fields",
    ),
}


@pytest.mark.parametrize(("text", "message"), WRONG_FILES.values(), ids=WRONG_FILES)
@pytest.mark.parametrize("verb", ["check", "run"])
def test_a_wrong_file_is_told_with_its_place(write, mistake, verb, text, message):
    """Every verb reads files alike, and says where to look."""
    assert mistake(verb, write("p.yaml", text)) == message


@pytest.mark.parametrize(("text", "wrong"), UNKNOWN_KEYS.items(), ids=UNKNOWN_KEYS)
def test_an_unknown_key_is_told_in_every_section(write, mistake, text, wrong):
    """A key that is not read would be a setting that has no effect."""
    column, path, known, meant = wrong
    *_, line = lines = text.splitlines()
    key = path.rpartition(".")[2]
    assert mistake("check", write("p.yaml", text)) == (
        f"p.yaml:{len(lines)}:{column}: {path}: unknown key {key!r}\n"
        f"    {len(lines)} | {line}\n        {' ' * (column - 1)}^\n"
        f"    known: {known}   did you mean {meant!r}?\n"
    )


def test_several_mistakes_come_at_once_in_the_order_of_the_file(write, mistake):
    """Mending one mistake a run is a morning lost."""
    text = (
        "nme: x\ngenerate: {max_new_tokens: 0}\nprompt:\n  - query: '{{ x }'\nalign: [regx, number]\nscore: [acuracy]\n"
    )
    assert (
        mistake("check", write("p.yaml", text))
        == f"""\
p.yaml:1:1: nme: unknown key 'nme'
    1 | nme: x
        ^
    known: {KEYS}   did you mean 'name'?
p.yaml:2:28: generate.max_new_tokens: must be at least 1, not 0
    2 | generate: {{max_new_tokens: 0}}
                                   ^
p.yaml:4:12: prompt[0].query: template: unexpected '}}'
    4 |   - query: '{{{{ x }}'
                   ^
p.yaml:5:9: align[0]: no step is called 'regx'
    5 | align: [regx, number]
                ^
    known: {STEPS}   did you mean 'regex'?
p.yaml:6:9: score[0]: no metric is called 'acuracy'
    6 | score: [acuracy]
                ^
    known: accuracy, exact_match, python   did you mean 'accuracy'?
"""
    )


def test_several_files_are_all_checked(write, pk):
    """One broken file must not hide the next; the worst of them gives the exit code."""
    write("empty.yaml", "")
    write("fails.yaml", "examples: [{completion: a, answer: b}]")
    ended = pk("check", "empty.yaml", "sums.yaml", "fails.yaml")
    assert (ended.code, ended.out) == (2, "")
    assert (
        ended.err
        == """\
empty.yaml:1:1: the file is empty
ok   sums.yaml: 2 of 2 examples hold
fails.yaml:1:25: examples[0] does not hold
    completion: 'a'
    expected:   answer 'b'
    got:        answer 'a' (by align)
FAIL fails.yaml: 0 of 1 examples hold
"""
    )


def test_a_template_with_an_undefined_name_names_the_row(write, mistake):
    """Only the data knows the names, so this is told when the first prompt is made, and before the model works."""
    write("p.yaml", with_line("{{ question }}", "{{ qestion }}"))
    said = """\
p.yaml:14:12: (sums.jsonl:1): template: undefined name 'qestion'
    14 |   - query: "Q: {{ qestion }}\\nA:"
                    ^
    known: answer, id, question   did you mean 'question'?
"""
    assert mistake("run", "p.yaml") == said
    assert mistake("show", "p.yaml") == said


def test_a_template_cannot_build_its_way_out(write, mistake):
    """What a look at the template does not see, the sandbox refuses."""
    write("p.yaml", with_line("{{ question }}", "{{ question|attr('__cla' ~ 'ss__') }}"))
    assert (
        mistake("run", "p.yaml")
        == """\
p.yaml:14:12: (sums.jsonl:1): template: out of a template's reach: access to attribute '__class__' of 'str' object is \
unsafe
    14 |   - query: "Q: {{ question|attr('__cla' ~ 'ss__') }}\\nA:"
                    ^
"""
    )


def test_a_template_file_that_is_missing_is_looked_for_in_few_places(write, folder, mistake):
    """A template comes from beside the pipeline, from above it, or with promptkit, and from nowhere else."""
    from promptkit.spec import shipped_folder

    assert (
        mistake("check", write("p.yaml", "prompt:\n  - query: nope.jinja\n"))
        == f"""\
p.yaml:2:12: prompt[0].query: there is no template 'nope.jinja'
    2 |   - query: nope.jinja
                   ^
    looked in: {folder}, {folder.parent}, {shipped_folder()}
"""
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.jsonl", b"", "empty.jsonl: is empty"),
        ("blank.jsonl", b"\n\n", "blank.jsonl: holds no rows"),
        ("binary.jsonl", b"\x7fELF\x02\xff", "binary.jsonl:1: is not UTF-8 text: byte 5 of the file is 0xff"),
        ("nul.jsonl", b"\x7fELF\x02\x00", "nul.jsonl:1: is not text: byte 5 of the file is 0x00"),
        ("broken.jsonl", b'{"question": "1"}\n{"question": \n', "broken.jsonl:2:13: is not JSON: expecting value"),
        ("list.jsonl", b"[1, 2]\n", "list.jsonl:1: a row must be a map of fields, not [1, 2]"),
        ("wide.csv", b"question,answer\n1,2,3\n", "wide.csv:2: the row has 3 cells, the header 2"),
        (
            "text.txt",
            b"x",
            "text.txt: the suffix '.txt' is no data format's\n    known: .csv, .json, .jsonl, .ndjson, .parquet, .tsv",
        ),
    ],
)
def test_a_data_file_that_cannot_be_read_is_told_with_its_line(write, mistake, name, content, message):
    """Files are named as they are typed, and lines are counted as editors count them."""
    write(name, content)
    write("p.yaml", with_line("sums.jsonl", name))
    assert mistake("run", "p.yaml") == message + "\n"
    assert mistake("show", "p.yaml", "--index", "1") == message + "\n"


def test_a_data_file_that_is_missing_tells_where_it_was_looked_for(write, folder, mistake):
    """Which folder a relative name counts from is the first thing to ask."""
    write("p.yaml", with_line("sums.jsonl", "sms.jsonl"))
    assert mistake("run", "p.yaml") == (
        f"sms.jsonl: there is no such file\n    looked for: {folder}/sms.jsonl   did you mean 'sums.jsonl'?\n"
        "    named at p.yaml:10:17\n"
    )
    assert mistake("run", "p.yaml", "--data", "nope") == "nope: there is no such data folder\n"


def test_a_regex_that_runs_away_ends_as_a_status_and_the_run_goes_on(write, pk):
    """One bad completion must not hold up a run of thousands."""
    write("p.yaml", with_line("'answer is (?P<answer>.+)\\.'", "{pattern: '^(a|a)+b$', timeout_s: 0.1}"))
    ended = pk("run", "p.yaml", "--json", "--set", f"model.scripted.rules[0].completion={'a' * 60}")
    assert ended.code == 0
    assert ended.json["statuses"] == {"answered": 0, "unparsed": 3, "truncated": 0, "ambiguous": 0, "empty": 1}
    rows = samples(ended.json["run"])
    assert [row["reason"] for row in rows] == ["timed out after 0.1 s", "no match", "no match", "no match"]


def samples(run):
    """The rows of a run's `samples.parquet`."""
    import pyarrow.parquet as pq

    return pq.read_table(Path(run) / "samples.parquet").to_pylist()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "smollm2-135",
            (
                "model 'smollm2-135': not a known name, a folder, a GGUF file, or a hub id (owner/name)\n"
                "    known: smollm2-135m   did you mean 'smollm2-135m'?"
            ),
        ),
        ("./nope", "model './nope': there is no such file or folder"),
        ("nope.gguf", "model 'nope.gguf': there is no such file or folder"),
        (".", "model '.': the folder holds neither a config.json nor a GGUF file"),
        ("sums.jsonl", "model 'sums.jsonl': not a GGUF file (it begins with b'{\"id', not b'GGUF')"),
    ],
)
def test_an_unknown_model_is_told(mistake, name, message):
    """Before any data is read."""
    assert mistake("run", "sums.yaml", "--model", name) == message + "\n"


@pytest.mark.slow
def test_a_gguf_file_that_was_cut_off_is_told(write, mistake, pk):
    """A download that broke off is the usual reason. The last words are the library's, on one line."""
    write("cut.gguf", b"GGUF" + struct.pack("<IQQ", 3, 200, 20) + struct.pack("<Q", 20) + b"general.arc")
    said = mistake("run", "sums.yaml", "--model", "cut.gguf")
    assert said.startswith("model 'cut.gguf': the GGUF file cannot be read (is it whole?): ")
    assert said.count("\n") == 1
    ended = pk("card", "sums.yaml", "--model", "cut.gguf")
    assert ended.code == 0
    assert ended.out.endswith(
        "learns 0 parameters; how many the model has is not known here, and all of them are frozen\n"
    )


@pytest.mark.slow
def test_a_prompt_beyond_the_context_is_told_before_weights_are_read(write, mistake, tiny_model):
    """Cutting it would drop the instruction, and nobody would see."""
    from transformers import AutoTokenizer

    prompt = "Add.\nQ: 1 + 1\nA:"
    num = len(AutoTokenizer.from_pretrained(tiny_model)(prompt)["input_ids"])
    assert mistake("run", "sums.yaml", "--model", tiny_model) == (
        f"example 'a' (sums.jsonl:1): {num} prompt tokens and 256 new ones do not fit the 256 tokens of "
        f"{str(tiny_model)!r} (4 of 4 prompts do not fit)\n"
        "    fewer demonstrations, or a smaller max_new_tokens, make room; nothing was cut\n"
    )


def test_a_prompt_that_no_rule_matches_is_told(write, mistake):
    """A script without an answer is the script's mistake, not an empty completion."""
    write("p.yaml", with_line('    default: ""\n', ""))
    assert mistake("run", "p.yaml", "--quiet") == (
        "example 'd' (sums.jsonl:4): no rule of the scripted model matches the prompt, which ends with "
        "'Add.\\nQ: 5 + 5\\nA:'\n    `default` gives the completion of all other prompts\n"
    )


def test_a_pipeline_of_sections_that_a_verb_does_not_need_is_none_for_a_verb_that_does(write, mistake):
    """`check` and `extract` want `align` alone; `run` says what is lacking."""
    write("p.yaml", "align: [number]\n")
    assert mistake("run", "p.yaml", "--set", "model=sums.jsonl").startswith("model 'sums.jsonl': not a GGUF file")
    write("p.yaml", "align: [number]\nmodel: {scripted: {default: '1'}}\n")
    assert mistake("run", "p.yaml") == "p.yaml: there is no 'data' section, and a prompt needs one\n"
    write("p.yaml", "data: {test: sums.jsonl}\nmodel: {scripted: {default: '1'}}\n")
    assert mistake("run", "p.yaml") == "p.yaml: there is no 'prompt' section, and a prompt needs one\n"
    assert mistake("show", "p.yaml") == "p.yaml: there is no 'prompt' section, and a prompt needs one\n"


class TestNames:
    """What stands where a file, or the name of a shipped pipeline, should."""

    @pytest.mark.parametrize("verb", [["check"], ["run"], ["show"], ["card"], ["extract", "--from", "sums.jsonl"]])
    def test_a_name_that_is_nearly_a_shipped_one_is_told(self, mistake, verb):
        """Every verb finds pipelines alike."""
        assert mistake(*verb, "sentimant") == (
            f"'sentimant': is neither a file nor a shipped pipeline\n    known: {SHIPPED}   did you mean 'sentiment'?\n"
        )

    def test_a_file_that_is_not_there_is_told(self, mistake):
        """A suffix makes it a file's name."""
        assert mistake("run", "nope.yaml") == "nope.yaml: there is no such file\n"

    def test_a_folder_is_no_pipeline(self, mistake):
        """Tab completion stops at folders."""
        assert mistake("run", ".") == ".: cannot be read: is a directory\n"


class TestExtends:
    """A pipeline laid over others."""

    def test_a_missing_base_is_told_where_it_is_named(self, write, mistake):
        """The file that a person can mend is the one that names it."""
        assert (
            mistake("check", write("p.yaml", "name: p\nextends: [sums.yaml, nope.yaml]\n"))
            == """\
p.yaml:2:22: extends: there is no file 'nope.yaml'
    2 | extends: [sums.yaml, nope.yaml]
                             ^
"""
        )

    def test_a_base_that_is_no_shipped_name_is_told_where_it_is_named(self, write, mistake):
        """The nearest name is there too."""
        assert (
            mistake("check", write("p.yaml", "extends: sentimant\n"))
            == f"""\
p.yaml:1:10: extends: 'sentimant' is neither a file nor a shipped pipeline
    1 | extends: sentimant
                 ^
    known: {SHIPPED}   did you mean 'sentiment'?
"""
        )

    def test_a_circle_is_told(self, write, mistake):
        """Alone, or by way of another file."""
        write("a.yaml", "extends: b.yaml\n")
        write("b.yaml", "extends: a.yaml\n")
        said = "b.yaml:1:10: extends: 'a.yaml' extends itself\n    1 | extends: a.yaml\n                 ^\n"
        assert mistake("check", "a.yaml") == said
        write("a.yaml", "extends: a.yaml\n")
        assert mistake("check", "a.yaml") == said.replace("b.yaml:1", "a.yaml:1")

    def test_a_mistake_in_the_base_is_told_in_the_base(self, write, mistake):
        """With those of the file itself, each under its own name."""
        write("bases/base.yaml", "name: base\nalign: [regx]\n")
        assert (
            mistake("check", write("p.yaml", "extends: bases/base.yaml\nnme: p\n"))
            == f"""\
bases/base.yaml:2:9: align[0]: no step is called 'regx'
    2 | align: [regx]
                ^
    known: {STEPS}   did you mean 'regex'?
p.yaml:2:1: nme: unknown key 'nme'
    2 | nme: p
        ^
    known: {KEYS}   did you mean 'name'?
"""
        )

    def test_a_base_that_is_not_yaml_is_told_in_the_base(self, write, mistake):
        """And nothing of the file itself, which cannot be read without it."""
        write("base.yaml", "name: a: b\n")
        assert mistake("check", write("p.yaml", "extends: base.yaml\n")) == WRONG_FILES["no YAML"][1].replace(
            "p.yaml", "base.yaml"
        )

    @pytest.mark.parametrize(("base", "shown"), [("3", "3"), ("{a: b}", "{'a': 'b'}"), ("", "None")])
    def test_what_is_no_name_is_told(self, write, mistake, base, shown):
        """`extends` names files."""
        said = mistake("check", write("p.yaml", f"extends: {base}\n"))
        assert said.splitlines()[0].endswith(f"extends: must name a file, not {shown}")

    def test_a_base_that_is_no_map_is_told(self, write, mistake):
        """It would vanish without a trace."""
        write("base.yaml", "- number\n")
        assert (
            mistake("check", write("p.yaml", "extends: base.yaml\n"))
            == """\
p.yaml:1:10: extends: base.yaml must hold a map, not ['number']
    1 | extends: base.yaml
                 ^
"""
        )


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("name", "--set wants path=value, not 'name'"),
        ("=x", "--set wants path=value, not '=x'"),
        (
            "nme=x",
            f"--set nme=x:1:1: nme: unknown key 'nme'\n    1 | x\n        ^\n    known: {KEYS}   did you mean 'name'?",
        ),
        (
            "generate.max_new_tokens=few",
            (
                "--set generate.max_new_tokens=few:1:1: generate.max_new_tokens: must be a whole number, not 'few'\n"
                "    1 | few\n        ^"
            ),
        ),
        (
            "align.nmber.take=last",
            (
                "--set align.nmber.take: nothing in this list is called 'nmber'\n"
                "    known: number, regex   did you mean 'number'?"
            ),
        ),
        ("align[4].take=last", "--set align[4].take: there is no item 4\n    the list has 2, counted from 0"),
        ("name.x=3", "--set name.x: cannot go into 'x': there is no map"),
        (
            "align=[",
            "--set align=[:1:2: not YAML: expected the node content, but found '<stream end>'\n    1 | [\n         ^",
        ),
        ("extends=sentiment", "--set extends: files are put together before --set changes a value"),
    ],
)
def test_a_wrong_override_is_told(mistake, override, message):
    """It is checked as the file is, and under the name that it was typed by."""
    assert mistake("check", "sums.yaml", "--set", override) == message + "\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["rnu"], "promptkit: no such command 'rnu'. Did you mean 'run'?"),
        (["run"], "promptkit run: missing argument 'FILE...'"),
        (["run", "sums.yaml", "--modle", "x"], "promptkit run: no such option: --modle (Possible options: --model)"),
        (
            ["run", "sums.yaml", "--limit", "0"],
            "promptkit run: invalid value for '--limit': Input should be greater than or equal to 1",
        ),
        (
            ["show", "sums.yaml", "--index", "-1"],
            "promptkit show: invalid value for '--index': Input should be greater than or equal to 0",
        ),
        (["extract", "sums.yaml"], "promptkit extract: missing option '--from'"),
        (["check", "sums.yaml", "--json=x"], "promptkit: option '--json' does not take a value"),
        (
            ["run", "sums.yaml", "--at-least", "exact_match"],
            (
                "promptkit run: invalid value for '--at-least': 'exact_match' is not METRIC=VALUE with a value from 0 to 1, "
                "such as accuracy=0.8"
            ),
        ),
        (
            ["run", "sums.yaml", "--at-least", "exact_match=80"],
            (
                "promptkit run: invalid value for '--at-least': 'exact_match=80' is not METRIC=VALUE with a value from 0 to "
                "1, such as accuracy=0.8"
            ),
        ),
        (
            ["run", "sums.yaml", "--at-least", "exact_match=nan"],
            (
                "promptkit run: invalid value for '--at-least': 'exact_match=nan' is not METRIC=VALUE with a value from 0 to "
                "1, such as accuracy=0.8"
            ),
        ),
    ],
)
def test_a_wrong_command_line_is_told_in_two_lines(mistake, words, message):
    """The second says where to read on."""
    command = message.partition(":")[0]
    assert mistake(*words) == f"{message}\n    {command} --help tells what there is\n"


def test_a_threshold_for_a_metric_that_is_not_there_is_told_before_the_run(mistake, folder):
    """After hours of computing would be late."""
    assert mistake("run", "sums.yaml", "--at-least", "exact_mtch=0.5") == (
        "--at-least: there is no metric 'exact_mtch'\n    known: exact_match   did you mean 'exact_match'?\n"
    )
    assert not (folder / "runs").exists()


def test_a_split_that_is_not_there_is_told(mistake):
    """The pipeline's own splits are what is known."""
    assert mistake("run", "sums.yaml", "--split", "tset") == (
        "the pipeline has no split 'tset'\n    known: test   did you mean 'test'?\n"
    )


def test_an_example_that_is_not_there_is_told(mistake):
    """Counted as --index counts."""
    assert mistake("show", "sums.yaml", "--index", "4") == (
        "there is no example 4: the split 'test' has 4 rows, counted from 0\n"
    )


def test_tokens_of_a_model_without_a_tokenizer_are_told(mistake):
    """The scripted model reads text."""
    assert mistake("show", "sums.yaml", "--tokens") == (
        "model 'scripted': its tokenizer is not here, so its tokens cannot be shown\n"
    )


class TestCode:
    """Python that a file names."""

    def test_it_runs_where_it_is_allowed(self, write, pk, mistake):
        """And nowhere else: the same file without the flag is a mistake, for every verb."""
        write("mine.py", "def shout(value, fields):\n    return value.upper()\n")
        write("p.yaml", "align:\n  - python: mine:shout\nexamples:\n  - {completion: a, answer: A}\n")
        ended = pk("check", "p.yaml", "--allow-code")
        assert (ended.code, ended.err) == (0, "ok   p.yaml: 1 of 1 examples hold\n")
        assert "runs only with --allow-code" in mistake("card", "p.yaml")

    def test_a_function_that_is_not_there_is_told(self, write, mistake):
        """With what there is."""
        write("mine.py", "def shout(value, fields):\n    return value.upper()\n")
        write("p.yaml", "align:\n  - python: mine:shut\n")
        assert (
            mistake("check", "p.yaml", "--allow-code")
            == """\
p.yaml:2:13: align[0].python: mine has no function 'shut'
    2 |   - python: mine:shut
                    ^
    known: shout   did you mean 'shout'?
"""
        )

    def test_a_module_that_does_not_import_is_told(self, write, mistake):
        """What it raised is part of the message; where, is for Python to say."""
        write("mine.py", "import nope_nope\n")
        write("p.yaml", "align:\n  - python: mine:shut\n")
        assert (
            mistake("check", "p.yaml", "--allow-code")
            == """\
p.yaml:2:13: align[0].python: the module 'mine' cannot be imported: ModuleNotFoundError: No module named 'nope_nope'
    2 |   - python: mine:shut
                    ^
"""
        )


class TestExtract:
    """Completions from anywhere."""

    def test_a_missing_field_is_told(self, mistake, folder):
        """With the row's own; and no file is left behind."""
        assert mistake("extract", "sums.yaml", "--from", "sums.jsonl", "--field", "qestion", "--out", "o.jsonl") == (
            "sums.jsonl:1: there is no field 'qestion'\n    known: answer, id, question   did you mean 'question'?\n"
        )
        assert sorted(each.name for each in folder.iterdir()) == ["sums.jsonl", "sums.yaml"]

    def test_a_field_that_is_no_text_is_told(self, mistake):
        """A number is no completion."""
        assert mistake("extract", "sums.yaml", "--from", "sums.jsonl", "--field", "answer") == (
            "sums.jsonl:1: the field 'answer' holds 2, not text\n"
        )

    def test_a_broken_line_leaves_an_older_result_as_it_was(self, write, mistake, folder):
        """Half a file that looks like a whole one is worse than none."""
        write("chains.jsonl", '{"completion": "The answer is 3."}\n{"completion": \n')
        write("o.jsonl", "older\n")
        assert mistake("extract", "sums.yaml", "--from", "chains.jsonl", "--out", "o.jsonl") == (
            "chains.jsonl:2:15: is not JSON: expecting value\n"
        )
        assert (folder / "o.jsonl").read_text() == "older\n"

    def test_the_file_that_is_read_is_never_written(self, mistake, folder):
        """It was emptied before the first row was read."""
        before = (folder / "sums.jsonl").read_bytes()
        (folder / "link.jsonl").symlink_to("sums.jsonl")
        for out in ("sums.jsonl", "link.jsonl"):
            said = mistake("extract", "sums.yaml", "--from", "sums.jsonl", "--field", "question", "--out", out)
            assert said == f"{out!r} is what --from reads, and would be overwritten\n    --out FILE names another\n"
        assert (folder / "sums.jsonl").read_bytes() == before

    @pytest.mark.parametrize(
        ("out", "reason"),
        [
            ("sums.yaml/o.jsonl", "not a directory"),
            (".", "is a directory"),
            ("no/o.jsonl", "no such file or directory"),
        ],
    )
    def test_a_place_that_cannot_be_written_is_told(self, mistake, out, reason):
        """By the name that was typed."""
        for words in (["extract", "sums.yaml", "--from", "sums.jsonl", "--field", "question"], ["schema"]):
            assert mistake(*words, "--out", out) == f"{out!r} cannot be written: {reason}\n"


class TestScore:
    """Folders of runs, given by hand."""

    @pytest.fixture
    def run(self, pk):
        """The folder of a finished run."""
        return Path(pk("run", "sums.yaml", "--json").json["run"])

    @pytest.mark.parametrize("name", [".", "nope", "sums.yaml"])
    def test_what_is_no_run_is_told(self, mistake, name):
        """A folder, nothing, a file."""
        assert mistake("score", name) == (
            f"{name!r} is not a run: it holds no run.json\n    name the folder that `promptkit run` printed\n"
        )

    def test_half_a_run_is_told(self, mistake, run):
        """Somebody copied one file of the two."""
        (run / "samples.parquet").unlink()
        assert mistake("score", run) == (
            f"{str(run)!r} is not a run: it holds no samples.parquet\n    name the folder that `promptkit run` printed\n"
        )

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "cannot be read: Expecting value: line 1 column 1 (char 0)"),
            (b'{"pipeline": "su', "cannot be read: Unterminated string starting at: line 1 column 14 (char 13)"),
            (b"\xff\xfe", "cannot be read: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
            (b"[]", "does not hold a map"),
            (b"{}", "has no 'pipeline', or it is not what a run writes there"),
        ],
    )
    def test_a_broken_summary_is_told(self, mistake, run, content, message):
        """`run.json` is a file that people open."""
        (run / "run.json").write_bytes(content)
        assert mistake("score", run) == f"the run {str(run)!r}: run.json {message}\n"

    @pytest.mark.parametrize("name", ["scores", "statuses", "declaration", "folder", "num_examples"])
    def test_a_summary_that_lacks_something_is_told(self, mistake, run, name):
        """Whatever the verb is asked to print."""
        summary = json.loads((run / "run.json").read_text())
        del summary[name]
        (run / "run.json").write_text(json.dumps(summary))
        said = f"the run {str(run)!r}: run.json has no {name!r}, or it is not what a run writes there\n"
        assert mistake("score", run) == mistake("score", run, "--json") == said

    def test_samples_that_lack_a_column_are_told(self, mistake, run):
        """Written by another version, or by hand."""
        import pyarrow.parquet as pq

        table = pq.read_table(run / "samples.parquet")
        pq.write_table(table.drop_columns(["completion"]), run / "samples.parquet")
        assert mistake("score", run) == f"the run {str(run)!r}: samples.parquet has no column 'completion'\n"

    def test_samples_that_are_no_parquet_are_told(self, mistake, run):
        """The reason is the library's, on one line."""
        (run / "samples.parquet").write_bytes(b"PAR1 and no more")
        said = mistake("score", run)
        assert said.startswith(f"the run {str(run)!r}: samples.parquet cannot be read: ")
        assert said.count("\n") == 1

    def test_a_pipeline_that_is_no_longer_known_is_told(self, mistake, run):
        """A step of a plug-in that is gone, for instance."""
        text = (run / "run.json").read_text()
        (run / "run.json").write_text(text.replace('"number"', '"nmber"'))
        assert mistake("score", run) == (
            f"the run {str(run)!r}: its pipeline cannot be read again: no step is called 'nmber'\n"
        )

    def test_a_chain_that_could_never_give_a_target_is_told(self, write, mistake, run):
        """Every answer would be wrong, and the score a silent 0."""
        write("letters.yaml", "align: [{map: {yes: true}}]\n")
        assert mistake("score", run, "--with", "letters.yaml") == (
            "sums.jsonl:1: no completion could give the target 2: 2 is neither a key nor a value of the table\n"
        )


class TestPlaces:
    """Where runs and completions go. Who runs this may write anywhere, so what cannot be written is not a matter of
    rights here: it is below a file, or beyond the size that the process may write.
    """

    @pytest.mark.parametrize("out", ["sums.yaml", "sums.yaml/runs"])
    def test_a_run_folder_that_cannot_be_made_is_told_before_anything_is_computed(self, mistake, cache, out):
        """Hours of computing must not end in "not a directory"."""
        assert mistake("run", "sums.yaml", "--out", out) == (
            f"the run folder cannot be made in {out!r}: not a directory\n    --out DIR names another\n"
        )
        assert not (cache / "completions.sqlite").exists()

    @pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder in which nobody may write")
    def test_a_folder_in_which_nobody_may_write_is_told(self, mistake):
        """/proc takes no folders, not even from the superuser."""
        assert mistake("run", "sums.yaml", "--out", "/proc/runs") == (
            "the run folder cannot be made in '/proc/runs': no such file or directory\n    --out DIR names another\n"
        )

    @pytest.mark.parametrize(
        ("store", "reason"),
        [
            ("sums.yaml", "file is not a database"),
            (".", "unable to open database file"),
            ("sums.yaml/store.sqlite", "its folder is a file"),
        ],
    )
    def test_a_store_that_cannot_be_opened_is_told(self, mistake, folder, store, reason):
        """Whatever stands there is left as it is."""
        before = (folder / "sums.yaml").read_bytes()
        assert mistake("run", "sums.yaml", "--store", store) == (
            f"the completion store {store!r} cannot be opened: {reason}\n    --store FILE names another\n"
        )
        assert (folder / "sums.yaml").read_bytes() == before

    @pytest.mark.slow
    def test_a_full_disk_keeps_the_older_run_and_loses_no_completion(self, write, process, folder):
        """The process may write no file of more than 100 kB: enough for the store, too little for the run."""
        rows = [{"id": i, "question": "1 + 1", "answer": 2, "more": noise(i)} for i in range(2)]
        write("sums.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        limited = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (100_000, 100_000))
        started = process("run", "sums.yaml", preexec_fn=limited)
        out, err = started.communicate()
        (said, hint) = err.splitlines()[-2:]
        assert (started.returncode, out) == (2, "")
        assert said.startswith("the run folder 'runs/sums--scripted--")
        assert said.endswith("' cannot be written: file too large")
        assert hint == "    every completion is in the store: the same command with another --out writes it"
        assert "Traceback" not in err
        assert list((folder / "runs").iterdir()) == []
        again = process("run", "sums.yaml", "--json")
        assert json.loads(again.communicate()[0])["completions"] == {"computed": 0, "from_store": 2}

    @pytest.mark.slow
    def test_a_store_without_room_is_told(self, process):
        """The reason is SQLite's own."""
        started = process("run", "sums.yaml", preexec_fn=partial(resource.setrlimit, resource.RLIMIT_FSIZE, (512, 512)))
        out, err = started.communicate()
        assert (started.returncode, out) == (2, "")
        assert err.startswith("the completion store ")
        assert err.endswith("cannot be opened: disk i/o error\n    --store FILE names another\n")

    @pytest.mark.slow
    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a file that is always full")
    @pytest.mark.parametrize("words", [["schema"], ["show", "sums.yaml", "--raw"], ["run", "sums.yaml", "--quiet"]])
    def test_an_output_without_room_is_told(self, process, words):
        """A redirection into a full disk would otherwise be an empty file and a traceback."""
        with Path("/dev/full").open("w") as full:
            started = process(*words, stdout=full)
            _, err = started.communicate()
        assert started.returncode == 2
        assert err.splitlines()[-1] == "the output cannot be written: no space left on device"
        assert "Traceback" not in err


def noise(seed):
    """200 kB of text that does not compress."""
    import random

    return random.Random(seed).randbytes(100_000).hex()
