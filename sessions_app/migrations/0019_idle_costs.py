"""Of each booking, what went while its session was idle.

Added in SQL: Django would make SQLite's table anew, without what 0004 did to it, and copy millions of rows for it.
"""

from django.db import migrations, models

ADD = "ALTER TABLE sessions_app_costhour ADD COLUMN idle_microusd bigint NOT NULL DEFAULT 0"
DROP = "ALTER TABLE sessions_app_costhour DROP COLUMN idle_microusd"


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0018_books_proof")]

    operations = [
        migrations.RunSQL(
            ADD,
            DROP,
            state_operations=[
                migrations.AddField(
                    model_name="costhour",
                    name="idle_microusd",
                    field=models.BigIntegerField(
                        default=0, help_text="Of the total: while it waited for a task, as far as we saw."
                    ),
                )
            ],
        )
    ]
