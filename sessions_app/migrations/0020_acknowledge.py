"""What people have acknowledged.

Django would make SQLite's table anew for a column with a default, of a million sessions perhaps: ALTER TABLE needs not.
"""

from django.db import migrations, models

QUIET = migrations.AddField(
    model_name="agentsession",
    name="attention_quiet",
    field=models.SmallIntegerField(
        db_default=0, default=0, help_text="How many of the reasons somebody has acknowledged or snoozed."
    ),
)


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0019_idle_costs")]

    operations = [
        migrations.RunSQL(
            'ALTER TABLE "sessions_app_agentsession" ADD COLUMN "attention_quiet" smallint NOT NULL DEFAULT 0',
            'ALTER TABLE "sessions_app_agentsession" DROP COLUMN "attention_quiet"',
            state_operations=[QUIET],
        ),
        migrations.AlterModelOptions(
            name="floorpermission",
            options={
                "default_permissions": (),
                "managed": False,
                "permissions": [
                    ("watch_live", "May open live views"),
                    ("take_control", "May drive a live browser"),
                    ("stop_task", "May stop a task"),
                    ("end_session", "May end a session"),
                    ("acknowledge", "May acknowledge and snooze what needs attention"),
                    ("see_costs", "May see what sessions cost"),
                    ("manage", "May change accounts, people and settings"),
                ],
            },
        ),
        migrations.AlterField(
            model_name="agentsession",
            name="attention",
            field=models.JSONField(
                blank=True, default=list, help_text="[{code, since, …, quiet?}], worst first."
            ),
        ),
        migrations.AlterField(
            model_name="agentsession",
            name="attention_rank",
            field=models.SmallIntegerField(
                default=0, help_text="0 fine, or all of it acknowledged; higher is worse."
            ),
        ),
    ]
