"""Mistakes in pipeline files: each ends with one clear message on standard error, exit code 2, and no traceback.

The messages are what people read when something is wrong, so they are compared whole.
"""

import pytest

from promptkit.align import KINDS
from promptkit.spec import shipped_chains, shipped_pipelines
from tests.cli.conftest import SUMS

SHIPPED = ", ".join(sorted(shipped_pipelines()))
NAMES = ", ".join(sorted({*shipped_pipelines(), *shipped_chains()}))
KEYS = "about, align, chat, choose, data, examples, extends, generate, matrix, model, name, prompt, score, stages"
STEPS = ", ".join(sorted(KINDS))


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
    "an answer that is never settled": (
        "generate:\n  stop_when_answered: true\nalign:\n  - strip\n  - regex: {pattern: a, take: last}\n",
        """\
p.yaml:2:23: generate.stop_when_answered: the answer may change until the text ends: align[1].regex with `take: last` waits for the end of the text
    2 |   stop_when_answered: true
                              ^
    `regex` and `number` with `take: first` can know it, with `strip` before them and any step after them
""",
    ),
    "an answer that no step settles": (
        "generate: {stop_when_answered: true}\n",
        """\
p.yaml:1:32: generate.stop_when_answered: the answer may change until the text ends: align: no step says where an answer ends
    1 | generate: {stop_when_answered: true}
                                       ^
    `regex` and `number` with `take: first` can know it, with `strip` before them and any step after them
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
p.yaml:1:10: stages[0]: a stage needs a `prompt`, or a stage that it continues
    1 | stages: [{name: a}]
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
p.yaml:2:5: examples[0]: needs one of `answer`, `answer_field`, `status`, `span`, `step`, or several
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
        "constrain, max_new_tokens, samples, seed, stop, stop_when_answered, temperature, thinking, top_k, top_p",
        "max_new_tokens",
    ),
    "choose: {options: [a, b], led: x}": (27, "choose.led", "lead, normalize, options, unconditional_prompt", "lead"),
    "align:\n  - regex: {pattern: a, tke: last}": (
        25,
        "align[0].regex.tke",
        "dotall, group, ignore_case, multiline, pattern, search, take, timeout_s",
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
        "answer, answer_field, completion, ended, field, fields, from, id, prompt, question, span, stage, status, step",
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
    expected: answer 'b'
    got:      answer 'a'
                      ^
    completion:
        a
        ^ the answer, align
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


class TestNames:
    """What stands where a file, or the name of a shipped pipeline, should."""

    @pytest.mark.parametrize("verb", [["check"], ["run"], ["show"], ["card"], ["extract", "--from", "sums.jsonl"]])
    def test_a_name_that_is_nearly_a_shipped_one_is_told(self, mistake, verb):
        """Every verb finds pipelines alike."""
        assert mistake(*verb, "sentimant") == (
            f"'sentimant': is neither a file nor a shipped pipeline or chain\n    known: {NAMES}   did you mean 'sentiment'?\n"
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
