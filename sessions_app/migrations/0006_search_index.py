"""The database's own index over the words of sessions, and the words of sessions that are known already.

A later migration that makes SessionWords' table anew on SQLite takes the triggers with it: let it call `create`
after that (`tests/app/test_search.py` fails until it does).
"""

from itertools import batched

from django.db import migrations

from sessions_app.rules.searchable import Source, digest_of, document_of

TABLE = "sessions_app_sessionwords"
INDEX = "sessions_app_sessionwords_index"
# `ascii` leaves our words as they are.  Nothing but "which session" is asked of it, so places are not kept.
# With the prefixes a search for one letter is 40 times faster, and the index a third larger.
SQLITE = (
    f"""CREATE VIRTUAL TABLE {INDEX} USING fts5(
        words, content='{TABLE}', content_rowid='session_id', tokenize='ascii', detail=none, columnsize=0,
        prefix='1 2'
    )""",
    f"""CREATE TRIGGER {INDEX}_insert AFTER INSERT ON {TABLE} BEGIN
        INSERT INTO {INDEX}(rowid, words) VALUES (new.session_id, new.words);
    END""",  # noqa: S608
    f"""CREATE TRIGGER {INDEX}_delete AFTER DELETE ON {TABLE} BEGIN
        INSERT INTO {INDEX}({INDEX}, rowid, words) VALUES ('delete', old.session_id, old.words);
    END""",  # noqa: S608
    f"""CREATE TRIGGER {INDEX}_update AFTER UPDATE OF words ON {TABLE} BEGIN
        INSERT INTO {INDEX}({INDEX}, rowid, words) VALUES ('delete', old.session_id, old.words);
        INSERT INTO {INDEX}(rowid, words) VALUES (new.session_id, new.words);
    END""",  # noqa: S608
)
# A column, not an index over the expression: whoever reads most rows would work it out for each, 250 µs a time.
POSTGRESQL = (
    f"ALTER TABLE {TABLE} ADD COLUMN vector tsvector "
    "GENERATED ALWAYS AS (array_to_tsvector(string_to_array(words, ' '))) STORED",
    f"CREATE INDEX {INDEX} ON {TABLE} USING gin (vector)",
)
AT_A_TIME = 500


def create(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        for name in ("insert", "delete", "update"):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {INDEX}_{name}")
        schema_editor.execute(f"DROP TABLE IF EXISTS {INDEX}")
    else:
        schema_editor.execute(f"ALTER TABLE {TABLE} DROP COLUMN vector")


def fill(apps, schema_editor):
    sessions = apps.get_model("sessions_app", "AgentSession")
    words = apps.get_model("sessions_app", "SessionWords")
    keys = list(sessions.objects.order_by("pk").values_list("pk", flat=True))
    columns = ("pk", "uuid", "title", "last_step", "is_live", "task", "detail__raw")
    for batch in batched(keys, AT_A_TIME, strict=False):
        rows = [
            (pk, Source(*said, raw or ""))
            for pk, *said, raw in sessions.objects.filter(pk__in=batch).values_list(*columns)
        ]
        words.objects.bulk_create(
            words(session_id=pk, digest=digest_of(source), words=document_of(source)) for pk, source in rows
        )


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0005_messages_and_words")]

    operations = [
        migrations.RunPython(create, drop),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
