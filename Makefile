# Watchfloor.  `make` alone lists what there is.

VARIABLES := PORT HOST DATA_DIR BROWSER_USE_API_KEY BROWSER_USE_BASE_URL LIVE_VIEW_ORIGINS DATABASE_URL REDIS_URL \
	SECRET_KEY SECRET_KEY_FALLBACKS ENCRYPTION_KEYS ALLOWED_HOSTS CSRF_TRUSTED_ORIGINS SECURE_COOKIES SECURE_PROXY_SSL \
	DJANGO_SUPERUSER_USERNAME DJANGO_SUPERUSER_PASSWORD DJANGO_SUPERUSER_EMAIL METRICS_TOKEN UPSTREAM_PROXY \
	WATCHFLOOR_SIMULATOR_SESSIONS WATCHFLOOR_SIMULATOR_SPEED WATCHFLOOR_SIMULATOR_SEED LOG_LEVEL DEBUG \
	EMAIL_URL EMAIL_FROM PUBLIC_URL BULK_STOP_MOST HISTORY_FULL_DAYS HISTORY_FINE_DAYS PICTURES_DAYS \
	PICTURES_MAX_MB PICTURES_LEAVE_FREE_MB

# From the environment or from the command line, as they are; an empty one counts as not set.
$(foreach v,$(VARIABLES),$(eval $(if $(strip $(value $(v))),export,unexport) $(v)))

.DEFAULT_GOAL := help
.PHONY: help run test check fmt pictures bench e2e chaos soak clean
MAKEFLAGS += --no-print-directory

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

run: ## Start everything (PORT=8000 DATA_DIR=var HOST=127.0.0.1); Ctrl-C stops it
	@bin/install && exec .venv/bin/python manage.py up

test: ## Unit, app, contract and browser tests
	@bin/install dev && exec bin/test

check: ## Lint, types, templates, import contracts, missing migrations
	@bin/install dev && exec bin/check

fmt: ## Format Python and templates
	@bin/install dev && exec bin/fmt

pictures: ## Take the pictures of README and docs anew
	@bin/install dev && exec .venv/bin/python -m tests.support.pictures

bench: ## A row per goal of speed and size (ONLY=5,6 runs some)
	@bin/install dev && exec .venv/bin/python -m bench $(if $(ONLY),--only $(ONLY))

e2e: ## The browser stories; prints the folder of their screenshots
	@bin/install dev && exec bin/test browser

chaos: ## Kills, freezes and floods real processes
	@bin/install dev && exec bin/test chaos

soak: ## Long runs
	@bin/install dev && exec bin/test soak

clean: ## Remove the environment and caches (never your data)
	rm -rf .venv .artifacts .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
