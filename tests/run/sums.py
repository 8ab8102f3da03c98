"""Four sums on the scripted model: one right, one wrong, one without an answer, one empty."""

SUMS = r"""
name: sums
model:
  scripted:
    - {when: '1 \+ 1', completion: " That makes 2. The answer is 2."}
    - {when: '2 \+ 2', completion: " The answer is 5."}
    - {when: '3 \+ 3', completion: " I cannot say."}
    - {when: '4 \+ 4', completion: ""}
data:
  test:
    rows:
      - {id: a, question: 1 + 1, answer: "2"}
      - {id: b, question: 2 + 2, answer: "4"}
      - {id: c, question: 3 + 3, answer: "6"}
      - {id: d, question: 4 + 4, answer: "8"}
  target: "{{ answer }}"
prompt:
  - query: "Q: {{ question }}?\nA:"
align:
  - regex: 'answer is (?P<answer>\S+)'
  - number
"""


def folder_of(done):
    """The folder of a run that was written."""
    assert done.folder is not None
    return done.folder
