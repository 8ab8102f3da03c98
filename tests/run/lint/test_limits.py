"""PK31x: what ends a completion before its answer."""


def test_a_stop_before_the_answer_is_told(says):
    """The chain reads the whole completion, and not what is left of it."""
    assert says(('["\\n"]', '["o"]')) == [
        "15:38 PK310 generate.stop[0]: 'o' cuts data.train.rows[1] before its answer: ' go' (3 of 6 gold completions)"
    ]


def test_a_stop_after_the_answer_is_let_alone(says):
    """It stands in the demonstrations, behind what is read."""
    assert says(('["\\n"]', '["."]')) == []
    assert says(("{{ label }}.\\n\\n", "{{ label }}.\\n###\\n"), ('["\\n"]', '["###"]'), ('" ."', '" .\\n"')) == []


def test_a_stop_in_a_target_is_told_where_nothing_is_shown(says):
    """Without demonstrations, the target is all that is known of an answer."""
    changes = (
        ('  - demonstrations: {from: train, template: "Film: {{ film }}\\nVerdict: {{ label }}.\\n\\n"}\n', ""),
        ('["\\n"]', '["oo"]'),
    )
    assert "14:38 PK310 generate.stop[0]: 'oo' stands in the target 'good' (data.test.rows[1]; 1 of 2 rows)" in says(
        *changes
    )


def test_a_stop_in_one_of_several_targets_is_let_alone(says):
    """Another of them is right, too; and a list is no text, whose commas would count."""
    changes = (
        ('  - demonstrations: {from: train, template: "Film: {{ film }}\\nVerdict: {{ label }}.\\n\\n"}\n', ""),
        ('target: "{{ label }}"', 'target: "{{ [label, film] }}"'),
    )
    assert says(*changes, ('["\\n"]', '[","]')) == [
        "5:3 PK404 data.train: the split 'train' is declared, and nothing takes from it"
    ]
