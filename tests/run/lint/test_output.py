"""PK5xx: whether the chain reads what the demonstrations ask a model to write."""


def test_a_chain_that_does_not_read_the_demonstrations_is_told(says):
    """A model that does as it is shown would be graded wrong."""
    assert says(('{strip: " ."}', "{regex: '(Good|Bad)'}")) == [
        (
            "16:1 PK501 align: of what data.train.rows[0] has as its answer, ' bad.', the chain finds nothing (no match): "
            "the target is 'bad' (6 of 6 gold completions)"
        )
    ]


def test_a_chain_that_reads_another_value_is_told(says):
    """Found is not right."""
    assert says(('{strip: " ."}', "{regex: '\\w'}"))[0].startswith(
        "16:1 PK501 align: of what data.train.rows[0] has as its answer, ' bad.', the chain reads 'b': the target is 'bad'"
    )


def test_a_target_that_nothing_gives_is_told_once(says):
    """Not as the chain's failure, too."""
    assert says(('{strip: " ."}', "number")) == [
        (
            "11:11 PK502 data.target: no completion could give the target 'bad' of data.test.rows[0]: 'bad' is not a number "
            "(2 of 2 rows)"
        )
    ]


def test_alternatives_that_are_never_tried_are_told(says):
    """`strip` answers to every text."""
    first = "[{first: [[strip, lower], {regex: 'bad|good'}]}]"
    said = says(('[{strip: " ."}]', first))
    assert said[1] == (
        "16:18 PK504 align[0].first[0]: the alternative [0] (strip, lower) answers to every text, so those after it are "
        "never tried"
    )
    assert says(('[{strip: " ."}]', "[{first: [{regex: 'bad|good'}, [strip, lower]]}]")) == []
