"""The database itself refuses to change or take away an audit entry.

Whoever owns the database can drop these triggers; then the chain of hashes tells.  A later migration that makes
SQLite rebuild this table (it copies, drops and renames) must create them anew.
"""

from typing import Any

from django.db import migrations

TABLE = "sessions_app_auditentry"
WORDS = "audit entries are only ever added"

SQLITE = {
    f"{TABLE}_no_{act}": f"BEFORE {act} ON {TABLE} BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
    for act in ("update", "delete")
}
POSTGRESQL = {
    f"{TABLE}_no_change": f"BEFORE UPDATE OR DELETE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION {TABLE}_refuse()",
    f"{TABLE}_no_truncate": f"BEFORE TRUNCATE ON {TABLE} FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_refuse()",
}
REFUSE = f"""
CREATE OR REPLACE FUNCTION {TABLE}_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '{WORDS}' USING ERRCODE = 'integrity_constraint_violation'; END $$
"""


def install(apps: Any, schema_editor: Any) -> None:
    """Create the triggers."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(REFUSE)
    for name, body in _triggers(schema_editor).items():
        schema_editor.execute(f"CREATE TRIGGER {name} {body}")


def remove(apps: Any, schema_editor: Any) -> None:
    """Drop them."""
    on_table = f" ON {TABLE}" if schema_editor.connection.vendor == "postgresql" else ""
    for name in _triggers(schema_editor):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}{on_table}")


def _triggers(schema_editor: Any) -> dict[str, str]:
    return POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0011_bulk_stops")]
    operations = [migrations.RunPython(install, remove)]
