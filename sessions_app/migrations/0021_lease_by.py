"""Who holds an account or a stop.

By ALTER TABLE: Django would make SQLite's tables anew for a column with a default, and the stops may be many.
"""

from django.db import migrations, models


def _column(model: str) -> migrations.RunSQL:
    table = f"sessions_app_{model}"
    return migrations.RunSQL(
        f'ALTER TABLE "{table}" ADD COLUMN "lease_by" varchar(120) NOT NULL DEFAULT \'\'',
        f'ALTER TABLE "{table}" DROP COLUMN "lease_by"',
        state_operations=[
            migrations.AddField(
                model_name=model,
                name="lease_by",
                field=models.CharField(
                    db_default="", default="", help_text="See `models.lease`.", max_length=120
                ),
            )
        ],
    )


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0020_acknowledge")]

    operations = [_column("account"), _column("stoprequest")]
