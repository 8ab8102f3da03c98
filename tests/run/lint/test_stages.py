"""Pipelines of several stages: each rule where it has something to say."""

STAGED = """\
name: sums
model: {scripted: {default: ""}}
data:
  test: {rows: [{id: a, q: 1 + 1, a: 2}, {id: b, q: 2 + 2, a: 4}]}
  target: "{{ a }}"
  fields: {asked: "{{ q }}"}
stages:
  - name: reason
    prompt: [{query: "Q: {{ asked }}\\nA:"}]
    generate: {stop: ["Q:"]}
  - repeat: {max: 2}
    stages:
      - name: conclude
        continue: reason
        prompt: [{cue: "\\nSo the answer, after {{ stages.reason.text }} in round {{ round }}, is"}]
        generate: {max_new_tokens: 8, stop: ["\\n"]}
        align: [{number: {take: first}}]
"""


def test_a_clean_one_is_clean(lint):
    """What later stages write is no field of a row, and no mistake."""
    assert lint(text=STAGED).findings == ()


def test_places_lead_into_the_stage(says):
    """Also into one of a loop."""
    assert says(('round }}, is"', 'round }}, is "'), ('["\\n"]', "['\\n']"), text=STAGED) == [
        "15:24 PK201 stages[1].stages[0].prompt[0].cue: the prompt ends with a space, ', is '",
        "16:47 PK101 stages[1].stages[0].generate.stop[0]: \\n is a backslash and an n in single quotes, not a line's end",
    ]


def test_a_field_is_used_if_any_stage_uses_it(says):
    """The rows are those of all."""
    assert says(("{{ asked }}", "{{ q }}"), text=STAGED) == [
        "6:12 PK402 data.fields.asked: the field 'asked' is made, and nothing uses it"
    ]


def test_targets_are_those_of_the_stage_that_answers(says):
    """What the first stage's stop cuts is no answer."""
    assert says(('["Q:"]', '["2"]'), text=STAGED) == []
    assert says(('["\\n"]', '["2"]'), text=STAGED) == [
        "16:46 PK310 stages[1].stages[0].generate.stop[0]: '2' stands in the target 2 (data.test.rows[0]; 1 of 2 rows)"
    ]


def test_names_are_looked_for_in_the_first_stage(says):
    """Its prompt is known."""
    assert says(("{{ asked }}", "{{ asked }} {{ nothing }}"), text=STAGED) == [
        "9:22 PK205 stages[0].prompt[0].query: template: undefined name 'nothing'"
    ]


def test_what_loops_lend_is_there_for_the_first_row(lint):
    """`round` and the loop's item are no fields, and a template of the first stage may name them."""
    text = """\
data: {test: {rows: [{q: x}]}}
stages:
  - name: part
    repeat: {max: 2, for: "{{ [q, q] }}", as: each}
    prompt: [{query: "{{ each }} {{ round }} {{ stages | length }}"}]
"""
    assert [str(each.problem) for each in lint(text=text).findings] == []
