"""PK4xx: the data, and what of it is shown."""

import pytest

LONG = "{id: x, film: 'the one about two old men who sail to a far island and back again', label: bad}"
NEARLY = LONG.replace("id: x", "id: y").replace("back again", "back home again")


def test_a_demonstration_that_is_asked_about_is_told(says):
    """Whatever its id."""
    assert says(("film: a poor one", "film: a  Dull one")) == [
        (
            "13:28 PK401 prompt[0].demonstrations.from: data.train.rows[2] is data.test.rows[0], which is asked about; "
            "a run leaves it out "
            "(1 of 4 rows of the pool, against 2 test rows)"
        )
    ]


def test_one_that_is_nearly_asked_about_is_told(says):
    """A word more or less."""
    assert says(("{id: a, film: a dull one, label: bad}", LONG), ("{id: c, film: a long one, label: bad}", NEARLY)) == [
        (
            "13:28 PK401 prompt[0].demonstrations.from: data.train.rows[0] is nearly data.test.rows[0], which is asked about; "
            "a run leaves it out "
            "(1 of 4 rows of the pool, against 2 test rows)"
        )
    ]


@pytest.mark.parametrize(
    ("leaks", "says_of_same", "says_of_near"),
    [
        ("near", "a run leaves it out", "a run leaves it out"),
        ("same", "a run leaves it out", "`leaks: same` shows it"),
        ("allow", "`leaks: allow` shows it", "`leaks: allow` shows it"),
    ],
)
def test_it_is_told_whether_a_run_shows_such_rows(says, leaks, says_of_same, says_of_near):
    """What is left out makes prompts differ; what is shown gives answers away."""
    allows = ("from: train, ", f"from: train, leaks: {leaks}, ")
    assert says_of_same in says(allows, ("film: a poor one", "film: a dull one"))[0]
    pair = (("{id: a, film: a dull one, label: bad}", LONG), ("{id: c, film: a long one, label: bad}", NEARLY))
    assert says_of_near in says(allows, *pair)[0]


def test_linter_and_run_mean_the_same_by_near(lint):
    """Six of ten 8-grams are near for both by default, and the file's own threshold is that of both."""
    pair = (("{id: a, film: a dull one, label: bad}", LONG), ("{id: c, film: a long one, label: bad}", NEARLY))
    codes = [each.code for each in lint(*pair, ("from: train, ", "from: train, leaks: {overlap: 0.9}, ")).findings]
    assert "PK401" not in codes


def test_the_same_words_about_another_number_are_another_question(says):
    """So are sums of one make."""
    one, other = LONG.replace("two", "2"), NEARLY.replace("two", "3")
    assert says(("{id: a, film: a dull one, label: bad}", one), ("{id: c, film: a long one, label: bad}", other)) == []


def test_a_field_that_nothing_uses_is_told(says):
    """It was made for something."""
    assert says(("prompt:", '  fields: {title: "{{ film }}"}\nprompt:')) == [
        "12:12 PK402 data.fields.title: the field 'title' is made, and nothing uses it"
    ]


def test_a_field_that_a_chain_reads_is_used(says):
    """Its options are the field `options`, though the file does not say so."""
    fields = "  fields: {options: \"{{ ['good', 'bad'] }}\"}\nprompt:"
    assert (
        says(
            ("prompt:", fields),
            ('{strip: " ."}', "choice"),
            ('target: "{{ label }}"', "target: \"{{ {'good': 'A', 'bad': 'B'}[label] }}\""),
        )
        == []
    )


def test_demonstrations_that_are_never_shown_are_told(says):
    """They were written to be."""
    rows = "from: [{film: x, label: bad}, {film: y, label: good}, {film: z, label: bad}], take: 2"
    assert (
        "13:106 PK403 prompt[0].demonstrations.take: 3 demonstrations are written here, and `take: 2` shows the first 2"
        in says(("from: train", rows))
    )
    assert "PK403" not in str(says(("from: train", rows.replace("take: 2", "take: 2, select: random"))))


def test_a_training_split_without_use_is_told(says):
    """A pipeline that lost its demonstrations still has it."""
    line = '  - demonstrations: {from: train, template: "Film: {{ film }}\\nVerdict: {{ label }}.\\n\\n"}\n'
    assert says((line, "")) == ["5:3 PK404 data.train: the split 'train' is declared, and nothing takes from it"]


def test_a_class_that_is_shown_much_more_often_is_told(says):
    """Three to one; two to one is what chance does."""
    row = "      - {id: g, film: a bad one, label: bad}\n      - {id: h, film: a mad one, label: bad}\n  target"
    assert says(("film: a lovely one, label: good", "film: a lovely one, label: bad"), ("  target", row)) == [
        "15:5 PK405 prompt[0]: the 6 demonstrations show 'bad' 5 times and 'good' once: bad 5, good 1"
    ]
    assert says(("  target", row), ("from: train, ", "from: train, take: 3, ")) == []


def test_symbols_are_counted_by_what_they_stand_for(says):
    """A study of labels without meaning shows none of the classes by its name, and means to."""
    assert "PK405" not in str(says(("from: train, ", "from: train, labels: symbolic, ")))


def test_demonstrations_that_cannot_be_chosen_are_told(says):
    """A run would end before it begins, and `check` said ok."""
    assert says(("from: train,", "from: train, take: 9,")) == [
        "13:5 PK406 prompt[0]: data.test.rows[0]: 9 demonstrations are to be taken, but there are 4 rows"
    ]
    assert says(("from: train,", "from: train, order: {fixed: [zz]},")) == [
        "13:5 PK406 prompt[0]: order: fixed: the pool has no row with the id 'zz'"
    ]


def test_a_label_map_that_is_fitted_on_test_rows_is_told(says):
    """It has seen the answers."""
    mapped = "align: [{label_map: {to: [bad, good], from: test}}]"
    found = says(
        ('generate: {max_new_tokens: 8, stop: ["\\n"]}', "choose: {options: [poor, fine]}"),
        ('align: [{strip: " ."}]', mapped),
    )
    assert "16:45 PK401 align[0].label_map.from: the label map is fitted on the rows that are asked about" in found


def test_data_that_cannot_be_read_is_told(says, tmp_path):
    """`run` would end there, after `check` had said that all is well."""
    rows = "{rows: [{id: a, film: a dull one, label: bad}, {id: b, film: a fine one, label: good}]}"
    assert says((rows, "{files: nowhere.jsonl}")) == ["4:9 PK407 data.test: nowhere.jsonl: there is no such file"]
    (tmp_path / "films.jsonl").write_text("broken\n")
    (found,) = says((rows, "{files: films.jsonl}"))
    assert found == "4:9 PK407 data.test: films.jsonl:1:1: is not JSON: expecting value"
    assert says((rows, "{hub: no/where}")) == []
