"""Celery, and the only timetable.  `celery -A dashboard.celery …`; the web never imports this module's app.

Every value below answers a failure that was seen; see docs/architecture.md.
"""

import logging.config
import os
import time
import warnings
from typing import Any
from urllib.parse import parse_qs, urlsplit

import redis
from celery import Celery
from celery.platforms import SecurityWarning
from celery.signals import setup_logging, task_success, worker_process_init
from django.conf import settings

from dashboard.processes import heartbeat
from dashboard.processes.launch import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

CANARY = "sessions_app.tasks.heartbeat"
TICK = {"expires": 60}  # seconds; a tick that nobody took has been followed by others

# It warns of running as root because of pickles.  We accept JSON only, and containers do run as root.
warnings.filterwarnings("ignore", category=SecurityWarning)


def broker_url(redis_url: str) -> str:
    """redis-py's address as kombu spells it.  They differ only for Unix sockets."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    database = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.netloc}{parts.path}?virtual_host={database}"


def beat_redis_options(redis_url: str) -> dict[str, Any]:
    """RedBeat's own connection: without time-outs a half-open one froze it for good."""
    options: dict[str, Any] = {"socket_timeout": 5, "socket_connect_timeout": 5, "health_check_interval": 5}
    return options if redis_url.startswith("unix:") else options | {"socket_keepalive": True}


app = Celery("dashboard")
app.conf.update(
    # ---- broker ----
    broker_url=broker_url(settings.REDIS_URL),
    broker_transport_options={
        "visibility_timeout": 300,  # five times the longest task: never a second concurrent start
        "unacked_restore_throttle": 1,  # a killed worker's tasks come back after 11 s instead of 100 s
        "socket_timeout": 5,  # a frozen broker held a publish for over 45 s
        "socket_connect_timeout": 5,
        "health_check_interval": 5,  # half-open: beat was stuck for over 158 s, now 11 s
        "socket_keepalive": True,
    },
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    task_publish_retry=False,  # the intention is in the database; a lost nudge costs a second
    # ---- tasks ----
    task_ignore_result=True,  # the database has the results
    result_expires=None,  # nothing to clean up, so no nightly clean-up task either
    task_acks_late=True,
    task_reject_on_worker_lost=True,  # acks_late alone loses the task of a killed child
    task_soft_time_limit=50,
    task_time_limit=60,
    task_default_queue="default",
    task_serializer="json",
    accept_content=["json"],
    timezone="UTC",
    # ---- workers ----
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=5_000,
    worker_max_memory_per_child=400_000,  # KiB
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    worker_enable_remote_control=True,
    # ---- beat ----
    redbeat_redis_url=settings.REDIS_URL,
    redbeat_redis_options=beat_redis_options(settings.REDIS_URL),
    redbeat_key_prefix=heartbeat.BEAT_PREFIX,
    redbeat_lock_timeout=10,  # seconds until a second beat takes over from a dead one
    beat_max_loop_interval=2,  # also how often the second one looks
    beat_schedule={
        # The canary sings in a queue of each worker: the supervisor replaces one whose canary falls silent.
        **{
            f"heartbeat_{queue}": {
                "task": CANARY,
                "schedule": float(heartbeat.EVERY_S),
                "options": TICK | {"queue": queue},
            }
            for queue in heartbeat.QUEUES
        },
        "sweeps": {
            "task": "sessions_app.tasks.sweep_due_accounts",
            "schedule": 1.0,
            "options": TICK | {"queue": "poll"},
        },
        # Not a shorter expiry: a worker whose clock is ahead would drop them all.  A heap of ticks is one round.
        "watched": {
            "task": "sessions_app.tasks.read_watched",
            "schedule": 0.4,
            "options": TICK | {"queue": "watched"},
        },
        "accounts": {
            "task": "sessions_app.tasks.refresh_accounts",
            "schedule": 10.0,
            "options": TICK | {"queue": "default"},
        },
        # The web processes' executors do the same without a broker; who claims a stop first has it.
        "stops": {
            "task": "sessions_app.tasks.work_stops",
            "schedule": 1.0,
            "options": {"queue": "stops", "expires": 300},  # generous: a clock may be off
        },
        # With the fast lane's worker: it delays no sweep, and a slow picture does not delay it.
        "messages": {
            "task": "sessions_app.tasks.read_messages",
            "schedule": 1.0,
            "options": TICK | {"queue": "messages"},
        },
        "pictures": {
            "task": "sessions_app.tasks.take_pictures",
            "schedule": 2.0,
            "options": {"queue": "pictures", "expires": 60},
        },
        "budgets": {
            "task": "sessions_app.tasks.check_budgets",
            "schedule": 60.0,
            "options": {"queue": "default", "expires": 60},
        },
        "books": {
            "task": "sessions_app.tasks.prove_books",
            "schedule": 300.0,
            "options": {"queue": "default", "expires": 60},
        },
        "cost_reports": {
            "task": "sessions_app.tasks.mail_costs",
            "schedule": 60.0,
            "options": {"queue": "default", "expires": 60},
        },
        "audit": {
            "task": "sessions_app.tasks.anchor_audit",
            "schedule": 60.0,
            "options": {"queue": "default", "expires": 60},
        },
        # Not on a queue that polling uses.  Each takes a moment of a pass that is due, and leaves the rest to the next.
        "history": {
            "task": "sessions_app.tasks.thin_history",
            "schedule": 10.0,
            "options": {"queue": "default", "expires": 60},
        },
        "old_pictures": {
            "task": "sessions_app.tasks.clear_pictures",
            "schedule": 10.0,
            "options": {"queue": "default", "expires": 60},
        },
    },
)
app.autodiscover_tasks(["sessions_app"])


@setup_logging.connect
def _log_as_django_does(**_: Any) -> None:
    logging.config.dictConfig(settings.LOGGING)


@worker_process_init.connect
def _die_with_the_worker(**_: Any) -> None:
    """A pool process must not outlive a killed worker: siblings hold its pipe open, so it would wait forever."""
    import signal

    die_with_parent(signal.SIGKILL, os.getppid())


@task_success.connect
def _note_canary(sender: Any = None, **_: Any) -> None:
    """The canary has sung: leave the time where the supervisor's watchdog looks."""
    if sender is None or sender.name != CANARY:
        return
    queue = (sender.request.delivery_info or {}).get("routing_key", "")
    with redis.from_url(settings.REDIS_URL, socket_timeout=3) as client:
        client.set(heartbeat.key(str(queue)), time.time())
