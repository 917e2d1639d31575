"""What the apps of others put into the back office and staff have no use for there."""

from __future__ import annotations

from django.contrib import admin
from django_celery_beat import models as beat

# the schedule is in the code, and a task switched off by a click would be missed by nobody until it is needed
for _model in (
    beat.PeriodicTask,
    beat.IntervalSchedule,
    beat.CrontabSchedule,
    beat.SolarSchedule,
    beat.ClockedSchedule,
):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)
