"""The tables of history, made for what is done with them.

PostgreSQL: deleted rows are to be vacuumed once they are a fiftieth of the table, not a fifth: with tens of millions
of rows the table would grow by millions before it reused a page.

SQLite: trees by their own key.

An ordinary table has a hidden number as its key and holds ours a second time, in an index: 63 bytes per snapshot
where 43 do, and two trees to write to.  Django cannot say WITHOUT ROWID, so the tables are made anew here.  A later
migration that alters one of them makes it an ordinary table again: let it call `compact` after that
(`tests/app/test_history_tables.py` fails until it does).
"""

import re

from django.db import migrations

TABLES = ("sessions_app_snapshot", "sessions_app_step", "sessions_app_costhour")


def compact(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        for table in TABLES:
            if schema_editor.connection.vendor == "sqlite":
                _compact(cursor, table)
            else:
                cursor.execute(f'ALTER TABLE "{table}" SET (autovacuum_vacuum_scale_factor = 0.02)')


def _compact(cursor, table):
    cursor.execute("SELECT type, sql FROM sqlite_master WHERE tbl_name = %s AND sql IS NOT NULL", [table])
    statements = cursor.fetchall()
    created = next(sql for kind, sql in statements if kind == "table")
    if created.rstrip().upper().endswith("WITHOUT ROWID"):
        return
    cursor.execute(
        re.sub(rf'^CREATE TABLE "{table}"', f'CREATE TABLE "new__{table}"', created) + " WITHOUT ROWID"
    )
    cursor.execute(f'INSERT INTO "new__{table}" SELECT * FROM "{table}"')  # noqa: S608
    cursor.execute(f'DROP TABLE "{table}"')
    cursor.execute(f'ALTER TABLE "new__{table}" RENAME TO "{table}"')
    for kind, sql in statements:
        if kind == "index":
            cursor.execute(sql)


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0003_upkeep")]

    operations = [migrations.RunPython(compact, migrations.RunPython.noop)]
