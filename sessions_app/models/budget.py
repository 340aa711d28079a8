"""What may be spent on something in a day, a week or a month, and which warnings of it were given."""

from django.conf import settings
from django.db import models


class Budget(models.Model):
    """An amount for everything (`facet` empty), or for one value of a facet of `costs.question.FACETS`."""

    PERIODS = (("day", "Day"), ("week", "Week"), ("month", "Month"))

    name = models.CharField(max_length=120)
    facet = models.CharField(max_length=16, blank=True)
    value = models.CharField(max_length=128, blank=True, help_text="As the address of the costs page has it.")
    period = models.CharField(max_length=8, choices=PERIODS)
    zone = models.CharField(max_length=64, default="UTC", help_text="Whose days, weeks and months.")
    amount_microusd = models.BigIntegerField()
    warn_at = models.JSONField(help_text="Percentages, ascending.")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class BudgetWarning(models.Model):
    """That a percentage was reached: told once in each period."""

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="warnings")
    first_day = models.DateField(help_text="Of the period.")
    percent = models.IntegerField()
    at = models.DateTimeField()
    spent_microusd = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["budget", "first_day", "percent"], name="warned_once")]

    def __str__(self) -> str:
        return f"{self.percent} % of budget {self.budget_id} from {self.first_day}"
