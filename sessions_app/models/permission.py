"""What a person may do on the floor.  A home for permissions that belong to no single table."""

from django.db import models


class FloorPermission(models.Model):
    """No table: only the Django permissions that the roles are made of (`access.roles`)."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [
            ("watch_live", "May open live views"),
            ("take_control", "May drive a live browser"),
            ("stop_task", "May stop a task"),
            ("end_session", "May end a session"),
            ("acknowledge", "May acknowledge and snooze what needs attention"),
            ("see_costs", "May see what sessions cost"),
            ("manage", "May change accounts, people and settings"),
        ]
