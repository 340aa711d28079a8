"""Settings: everything comes from the environment, and everything has a default that works on one machine.

The README's table lists each variable; `tests/app/test_docs.py` fails when the two differ.
"""

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

from dashboard import secrets
from dashboard.mail import mailers
from dashboard.processes.layout import embedded_redis_url

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()


def variable(name: str, default: str = "") -> str:
    """The environment's `name`.  An empty value counts as not set: `make` passes those."""
    return os.environ.get(name, "").strip() or default


def number(name: str, given: str) -> int:
    """`given` as a whole number, 0 or more.  Raises ImproperlyConfigured."""
    if not (given.isascii() and given.isdigit() and len(given) < 10):
        raise ImproperlyConfigured(f"{name} must be a whole number, not {given!r}.")
    return int(given)


DATA_DIR = Path(variable("DATA_DIR", str(BASE_DIR / "var"))).resolve()
DEBUG = variable("DEBUG", "0").lower() in {"1", "true", "yes", "on"}
SECRET_KEY = variable("SECRET_KEY") or secrets.secret_key(DATA_DIR)
SECRET_KEY_FALLBACKS = [key for key in variable("SECRET_KEY_FALLBACKS").split(",") if key]
ENCRYPTION_KEYS = [key for key in variable("ENCRYPTION_KEYS").split(",") if key] or [
    secrets.encryption_key(DATA_DIR)
]

# ---- Where things are ------------------------------------------------------------------------------

SIMULATOR = variable("WATCHFLOOR_SIMULATOR") == "1"
VENDOR_BASE_URL = "https://api.browser-use.com/api/v3"
BROWSER_USE_API_KEY = variable("BROWSER_USE_API_KEY")
BROWSER_USE_BASE_URL = variable("BROWSER_USE_BASE_URL", VENDOR_BASE_URL).rstrip("/")
UPSTREAM_IS_LOOPBACK = urlsplit(BROWSER_USE_BASE_URL).hostname in {"127.0.0.1", "localhost", "::1"}
UPSTREAM_PROXY = variable("UPSTREAM_PROXY")
LIVE_VIEW_ORIGINS = variable("LIVE_VIEW_ORIGINS", "https://live.browser-use.com").replace(",", " ").split()
LOOPBACK_ORIGINS = ["http://127.0.0.1:*", "http://localhost:*"] if UPSTREAM_IS_LOOPBACK else []

REDIS_URL = variable("REDIS_URL") or embedded_redis_url(DATA_DIR)
DATABASE_URL = variable("DATABASE_URL") or f"sqlite:///{DATA_DIR}/watchfloor.sqlite3"

# ---- Django ----------------------------------------------------------------------------------------

ALLOWED_HOSTS = variable("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [origin for origin in variable("CSRF_TRUSTED_ORIGINS").split(",") if origin]
ROOT_URLCONF = "dashboard.urls"
ASGI_APPLICATION = "dashboard.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE, TIME_ZONE, USE_TZ, USE_I18N = "en-us", "UTC", True, False
SITE_NAME = "Watchfloor"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.admin",
    "allauth",
    "allauth.account",
    "django_htmx",
    "heroicons",
    "sessions_app",
]

MIDDLEWARE = [
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Sixty rows are 150 KB of HTML and 15 KB on the wire.  What is secret in a page cannot be told from its length:
    # Django masks CSRF tokens anew each time, and pads what it compresses.
    "dashboard.compression.TextCompression",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "sessions_app.views.chrome.chrome",
            ],
        },
    }
]


def _database() -> dict:
    """One database, by DATABASE_URL.  SQLite in WAL with IMMEDIATE transactions: with the default
    (deferred) ones, read-then-write fails at once with "database is locked", whatever the timeout."""
    config = env.db_url_config(DATABASE_URL)
    if config["ENGINE"].endswith("sqlite3"):
        config["OPTIONS"] = {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
            "PRAGMA cache_size=-65536; PRAGMA mmap_size=268435456; PRAGMA recursive_triggers=ON;"
            # Pages; 32 MB.  With the default of 4 MB every large batch waited for a checkpoint of its own.
            "PRAGMA wal_autocheckpoint=8000;",
        }
    elif config["ENGINE"].endswith("postgresql"):
        config.setdefault("OPTIONS", {})["pool"] = {"min_size": 1, "max_size": 12, "timeout": 10}
        config["CONN_MAX_AGE"] = 0
    else:
        raise ImproperlyConfigured("DATABASE_URL must begin with sqlite:// or postgres://")
    return config


DATABASES = {"default": _database()}
CACHES = {
    "default": {
        "BACKEND": "dashboard.cache.SoftRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "wf",
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 1},
    }
}

# ---- Mail --------------------------------------------------------------------------------------------

MAIL_IS_SET_UP = bool(variable("EMAIL_URL"))
MAILERS = mailers(variable("EMAIL_URL"))
EMAIL_FROM = variable("EMAIL_FROM", "Watchfloor <watchfloor@localhost>")
PUBLIC_URL = variable("PUBLIC_URL", f"http://localhost:{variable('PORT', '8000')}").rstrip("/")
"""Where people reach the floor: what links in a mail begin with."""

# ---- Limits ------------------------------------------------------------------------------------------

BULK_STOP_MOST = number("BULK_STOP_MOST", variable("BULK_STOP_MOST", "500"))
"""Sessions of one bulk stop (docs/stops.md)."""

# ---- How long things are kept (docs/operations.md) ---------------------------------------------------

# 0 is for ever, or without bound.
HISTORY_FULL_DAYS = number("HISTORY_FULL_DAYS", variable("HISTORY_FULL_DAYS", "7"))
HISTORY_FINE_DAYS = number("HISTORY_FINE_DAYS", variable("HISTORY_FINE_DAYS", "30"))
PICTURES_DAYS = number("PICTURES_DAYS", variable("PICTURES_DAYS", "14"))
PICTURES_MAX_MB = number("PICTURES_MAX_MB", variable("PICTURES_MAX_MB", "5000"))
PICTURES_LEAVE_FREE_MB = number("PICTURES_LEAVE_FREE_MB", variable("PICTURES_LEAVE_FREE_MB", "500"))

# ---- Files -----------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = DATA_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "pictures": {
        "BACKEND": "sessions_app.screenshots.disk.WholeFiles",
        "OPTIONS": {"location": str(DATA_DIR / "pictures"), "allow_overwrite": True},
    },
    "staticfiles": {"BACKEND": "dashboard.static_files.LeanFiles"},
}
WHITENOISE_MAX_AGE = 60

# ---- People ----------------------------------------------------------------------------------------

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["sessions_app.access.backend.OneQuery"]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/accounts/login/"
ACCOUNT_ADAPTER = "sessions_app.access.adapter.AccountAdapter"
ACCOUNT_FORMS = {"login": "sessions_app.forms.SignInForm"}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "10/m/ip,5/5m/key"}

# ---- Security --------------------------------------------------------------------------------------

METRICS_TOKEN = variable("METRICS_TOKEN")
SECURE = variable("SECURE_COOKIES", "0") == "1"
SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if variable("SECURE_PROXY_SSL", "0") == "1":
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "worker-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "manifest-src": [CSP.SELF],
    "frame-src": [*LIVE_VIEW_ORIGINS, *LOOPBACK_ORIGINS],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "object-src": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}

# ---- Logs ------------------------------------------------------------------------------------------

# httpx logs whole presigned URLs at INFO, uvicorn's access log the stream's tickets: neither may speak.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": variable("LOG_LEVEL", "INFO")},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "celery": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "redbeat": {"level": "WARNING"},
    },
}
