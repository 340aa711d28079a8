from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0021_lease_by")]

    operations = [
        migrations.AddField(
            model_name="account",
            name="counted_at",
            field=models.DateTimeField(
                help_text="Who was first seen later is not counted in that.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="account",
            name="sessions_upstream",
            field=models.IntegerField(help_text="How long the list is, as far as we know it.", null=True),
        ),
    ]
