# syntax=docker/dockerfile:1
# One image, three commands: web (default), worker, migrate. The database is somewhere else.

FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY requirements/runtime.txt /tmp/runtime.txt
RUN /opt/venv/bin/pip install --quiet --require-hashes -r /tmp/runtime.txt \
    && /opt/venv/bin/pip uninstall --quiet --yes pip
WORKDIR /app
COPY manage.py ./
COPY crm crm
COPY accounts accounts
COPY databases databases
COPY assignments assignments
COPY batches batches
COPY templates templates
COPY static static
COPY locale locale
COPY docker docker
# The build needs settings, but nothing of it is secret or stays: the demo's, in a folder thrown away.
RUN export PATH=/opt/venv/bin:$PATH CRM_MODE=demo VAR_DIR=/tmp/var STATIC_ROOT=/app/collected \
    && export DATABASE_URL=postgres://none@localhost/none \
    && python manage.py translations compile \
    && python manage.py collectstatic --no-input --verbosity 0 \
    && python -m compileall -q /app \
    && rm -rf /tmp/var

FROM python:3.13-slim
LABEL org.opencontainers.image.title="Kontak CRM" org.opencontainers.image.licenses="MIT"
RUN python -m pip uninstall --quiet --yes pip \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin crm \
    && install -d -o crm -g crm -m 0750 /data
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    CRM_MODE=production HOST=0.0.0.0 PORT=8000 VAR_DIR=/data STATIC_ROOT=/app/collected
WORKDIR /app
USER crm
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s CMD ["docker/entry", "health"]
ENTRYPOINT ["docker/entry"]
CMD ["web"]
