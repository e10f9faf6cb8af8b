"""Every setting of the project, in one file, from the environment (`.env.example` lists it all).

`CRM_MODE` is the one switch: `demo` (what `make up` and the tests set) or `production`.
Production has no defaults for what must be secret or true of the place it runs in.
"""

from pathlib import Path
from urllib.parse import unquote

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from crm.kernel.secrets import demo_secret_key
from crm.postgres.settings import embedded_database

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

CRM_MODE = env("CRM_MODE", default="production")
if CRM_MODE not in ("demo", "production"):
    raise ImproperlyConfigured("CRM_MODE must be demo or production.")
DEMO = CRM_MODE == "demo"
DEBUG = env.bool("DEBUG", default=False)
if DEBUG and not DEMO:
    raise ImproperlyConfigured("DEBUG must be off in production.")
VAR_DIR = Path(env("VAR_DIR", default=str(BASE_DIR / "var"))).resolve()

# What production must be told.
if DEMO:
    SECRET_KEY = env("SECRET_KEY", default="") or demo_secret_key(VAR_DIR)
    ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
else:
    required = ("SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL")
    if missing := [name for name in required if not env(name, default="")]:
        raise ImproperlyConfigured(f"Production needs {', '.join(missing)} in the environment.")
    SECRET_KEY = env("SECRET_KEY")
    ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
    if len(SECRET_KEY) < 50 or "example" in SECRET_KEY:
        raise ImproperlyConfigured("SECRET_KEY must be secret and at least 50 characters long.")

# Applications.
INSTALLED_APPS = [
    "crm.shell",
    "batches",
    "assignments",
    "databases",
    "accounts",
    "crm.kernel",
    "crm.shell.django_admin.CrmAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django.forms",
    "axes",
    "csp",
    "django_cotton.apps.SimpleAppConfig",
    "django_htmx",
    "pgtrigger",
    "pghistory",
    "procrastinate.contrib.django",
    "template_partials.apps.SimpleAppConfig",
]
MIDDLEWARE = [
    "accounts.middleware.ActMiddleware",
    "crm.kernel.whole_requests.WholeRequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "crm.shell.health.HealthMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "crm.kernel.uploads.UnfinishedUploadMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.SessionLifetimeMiddleware",
    "accounts.middleware.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.AudienceMiddleware",
    "accounts.middleware.PasswordChangeMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "crm.urls"
WSGI_APPLICATION = "crm.wsgi.application"
APPEND_SLASH = True
CSRF_FAILURE_VIEW = "crm.shell.errors.csrf_failure"

_loaders = [
    "django_cotton.cotton_loader.Loader",
    "django.template.loaders.filesystem.Loader",
    "django.template.loaders.app_directories.Loader",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    [("django.template.loaders.cached.Loader", _loaders)],
                )
            ],
            "builtins": [
                "django_cotton.templatetags.cotton",
                "template_partials.templatetags.partials",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "crm.shell.navigation.navigation",
            ],
        },
    }
]
FORM_RENDERER = "crm.kernel.forms.Renderer"

# The database. A pool serves the threads of a web process; commands and jobs use one connection.
if env("DATABASE_URL", default=""):
    DATABASES = {"default": env.db_url("DATABASE_URL", engine="django.db.backends.postgresql")}
    DATABASES["default"]["HOST"] = unquote(DATABASES["default"]["HOST"])  # %2F…: a socket's folder
else:
    DATABASES = {"default": embedded_database(VAR_DIR)}
_db = DATABASES["default"]
# Over a socket of this machine PostgreSQL knows by itself who asks.
if not DEMO and not _db["PASSWORD"] and not _db["HOST"].startswith("/"):
    raise ImproperlyConfigured("DATABASE_URL must have a password.")
_db["CONN_HEALTH_CHECKS"] = True
_db["TEST"] = {"NAME": env("TEST_DATABASE", default="test_crm")}
_limits = {
    "statement_timeout": env("DB_STATEMENT_TIMEOUT", default="15s"),
    "lock_timeout": env("DB_LOCK_TIMEOUT", default="4s"),
    "idle_in_transaction_session_timeout": "30s",
}
_db.setdefault("OPTIONS", {})["options"] = " ".join(f"-c {k}={v}" for k, v in _limits.items())
if _pool := env.int("DB_POOL", default=0):
    _db["OPTIONS"]["pool"] = {"min_size": 1, "max_size": _pool, "timeout": 10}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# People and sessions.
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("name", "email")},
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "accounts.validators.NotTheNameValidator"},
]
LOGIN_URL = "accounts:signin"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "accounts:signin"
SESSION_IDLE_SECONDS = env.int("SESSION_IDLE_SECONDS", default=8 * 3600)
SESSION_LIFETIME_SECONDS = env.int("SESSION_LIFETIME_SECONDS", default=7 * 24 * 3600)
SESSION_COOKIE_AGE = SESSION_LIFETIME_SECONDS
PASSWORD_GIVEN_HOURS = 72  # how long a password that an admin set may stay unused

# Wrong passwords: counted by account and in the database, so that they hold across processes.
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = ["username"]
AXES_USERNAME_FORM_FIELD = "email"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
AXES_CLIENT_IP_CALLABLE = "accounts.middleware.client_address"
AXES_SENSITIVE_PARAMETERS = ["csrfmiddlewaretoken"]
# Counting by address would shut out colleagues behind one address (axes.W006 asks for it).
SILENCED_SYSTEM_CHECKS = ["axes.W006"]

# Language and time. Every day is a day in TIME_ZONE; stored times are UTC.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("id", _("Indonesian"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = env("TIME_ZONE", default="Asia/Jakarta")
USE_TZ = True

# Files.
STATIC_URL = "/static/"
STATIC_ROOT = Path(env("STATIC_ROOT", default=str(VAR_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = VAR_DIR / "media"
FILE_UPLOAD_TEMP_DIR = VAR_DIR / "tmp"
FILE_UPLOAD_TEMP_DIR.mkdir(parents=True, exist_ok=True)
UPLOAD_MAX_BYTES = env.int("UPLOAD_MAX_MB", default=512) * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["crm.kernel.uploads.LimitedFileUploadHandler"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if env.bool("STATIC_MANIFEST", default=True)
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not env.bool("STATIC_MANIFEST", default=True)

# Rules of the business that a company may set.
PENDING_RECORDS_CAP = env.int("PENDING_RECORDS_CAP", default=2000)

# Security. The policy is that of a page without inline script or style.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "manifest-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
if not DEMO:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    SECURE_SSL_REDIRECT = env.bool("SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^healthz$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    if TRUSTED_PROXIES:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "class": "crm.kernel.logs.OneLine",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="WARNING")},
    # Its warnings name who could not sign in; the book of acts says it where only admins read.
    "loggers": {
        "axes": {"level": "CRITICAL"},
        # Refusals are in the book of acts; here they would be tracebacks of what works as meant.
        "django.request": {"level": "ERROR"},
    },
}
