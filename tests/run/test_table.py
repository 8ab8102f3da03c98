"""The tables that runs are kept in."""

from promptkit.run.table import records_table


def test_a_table_has_the_columns_of_all_rows():
    """Rows that another stage answered hold other things than the first row."""
    rows: list[dict[str, object]] = [{"id": "a"}, {"id": "b", "stage": "x", "score.accuracy": 1.0}]
    assert records_table(rows).to_pylist() == [
        {"id": "a", "stage": None, "score.accuracy": None},
        {"id": "b", "stage": "x", "score.accuracy": 1.0},
    ]
