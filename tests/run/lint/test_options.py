"""PK30x: the options that are scored."""

from tests.run.lint.conftest import CHOOSING

OPTIONS = "options: [good, bad]"


def test_an_option_that_begins_another_is_told(says):
    """Without a tokenizer, by the letters."""
    assert says((OPTIONS, "options: [good, bad, good enough]"), text=CHOOSING) == [
        "15:19 PK301 choose.options: 'good' begins 'good enough', which can never score more"
    ]


def test_it_is_none_where_lengths_are_made_up_for(says):
    """The longer may win then."""
    assert says((OPTIONS, "options: [good, bad, good enough], normalize: token"), text=CHOOSING) == []


def test_options_of_the_rows_are_counted(says):
    """The first row that has such, and how many do."""
    changes = ((OPTIONS, "options: \"{{ [label, 'a fine one', film] }}\""),)
    assert (
        "15:19 PK503 choose.options: data.test.rows[1]: `options` must give two or more different texts, not "
        "['good', 'a fine one', 'a fine one']"
    ) in says(*changes, text=CHOOSING)
    changes = ((OPTIONS, 'options: "{{ [label, label + film] }}"'),)
    assert (
        "15:19 PK301 choose.options: 'bad' begins 'bada dull one', which can never score more (data.test.rows[0]; 2 of 2 rows)"
    ) in says(*changes, text=CHOOSING)


def test_options_that_the_demonstrations_do_not_use_are_told(says):
    """They make other words likely. The chain brings them to the targets, so they can be right."""
    changes = ((OPTIONS, "options: ['+', '-']"), ('[{strip: " ."}]', "[{map: {'+': good, '-': bad}}]"))
    assert says(*changes, text=CHOOSING) == [
        "15:19 PK304 choose.options: the demonstrations answer with ' bad.' (data.train.rows[0]), the options are ' +', ' -'"
    ]


def test_a_lead_that_the_demonstrations_do_not_have_is_told(says):
    """White space counts."""
    assert says((f"{OPTIONS}}}", f'{OPTIONS}, lead: "\\n"}}'), text=CHOOSING) == [
        (
            "15:19 PK304 choose.options: the demonstrations answer with ' bad.' (data.train.rows[0]), "
            "the options are '\\ngood', '\\nbad'"
        )
    ]


def test_options_without_the_target_are_told(says):
    """Such a row can never be right."""
    assert (
        "15:19 PK503 choose.options: data.test.rows[0]: none of the options is the target 'bad': 'good', 'poor'"
        in says((OPTIONS, "options: [good, poor]"), text=CHOOSING)
    )
