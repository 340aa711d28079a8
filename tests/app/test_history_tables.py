"""The tables of history are as compact as each database can have them."""

import pytest
from django.db import connection

from sessions_app.models import CostHour, Snapshot, Step

TABLES = [model._meta.db_table for model in (Snapshot, Step, CostHour)]
pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.mark.parametrize("table", TABLES)
def test_a_row_lies_in_the_tree_of_its_key_and_is_vacuumed_early(table):
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = %s", [table])
            # A migration that alters this table has made it an ordinary one: let it call 0004's `compact` again.
            assert cursor.fetchone()[0].endswith("WITHOUT ROWID")
        else:
            cursor.execute("SELECT reloptions FROM pg_class WHERE relname = %s", [table])
            assert cursor.fetchone()[0] == ["autovacuum_vacuum_scale_factor=0.02"]


@pytest.mark.parametrize("model", [Snapshot, Step, CostHour])
def test_no_column_of_history_is_a_text_that_stands_elsewhere(model):
    """Whole numbers only, but for the summary of a step, which is kept once."""
    kinds = {field.get_internal_type() for field in model._meta.concrete_fields}
    numbers = {"BigIntegerField", "SmallIntegerField", "IntegerField", "ForeignKey"}
    assert kinds - numbers == ({"CharField"} if model is Step else set())


def test_the_hour_of_a_booking_still_has_its_index():
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, CostHour._meta.db_table)
    assert any(one["index"] and one["columns"] == ["hour"] for one in found.values())
