# One image for every process of the product; docker-compose.yml says which of them a container runs.
FROM python:3.11-slim-bookworm AS packages

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements/base.txt /tmp/base.txt
# the lock is complete, and each package is held against its hash
RUN /opt/venv/bin/pip install --require-hashes --no-deps -r /tmp/base.txt

FROM python:3.11-slim-bookworm

# Pango and HarfBuzz draw the documents; httpx2 trusts the system's certificates
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates \
        libharfbuzz-subset0 \
        libpango-1.0-0 \
        libpangoft2-1.0-0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin sales \
    && install -d -o sales -g sales /data

COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY . .

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    ENVIRONMENT=production \
    STATE_DIR=/data \
    STATIC_ROOT=/app/collected

# Settings want keys and addresses; these are made for this one command and kept nowhere.
RUN export SECRET_KEY="$(head -c 48 /dev/urandom | base64 -w0)" \
        BLIND_INDEX_KEY="$(head -c 32 /dev/urandom | base64 -w0)" \
        FIELD_ENCRYPTION_KEYS="1:$(head -c 32 /dev/urandom | base64 -w0)" \
        DATABASE_URL=postgresql://nobody@127.0.0.1/none REDIS_URL=redis://127.0.0.1/0 STATE_DIR=/tmp/build \
        PUBLIC_URL=https://sales.example.org ALLOWED_HOSTS=sales.example.org \
    && python manage.py collectstatic --no-input --verbosity 0 \
    # nothing is written later: without this each start of a container would compile all our code anew
    && python -m compileall -q -x '\.venv' . \
    && rm -rf /tmp/build

USER sales
VOLUME /data
EXPOSE 8000

# Another process than daphne has this switched off in docker-compose.yml.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health', timeout=4)"]

CMD ["daphne", "-b", "0.0.0.0", "-p", "8000", "-v", "0", "--no-server-name", "--http-timeout", "60", "--websocket_connect_timeout", "5", "--ping-interval", "20", "--ping-timeout", "30", "--websocket-max-message-size", "4194304", "--websocket-max-frame-size", "4194304", "config.asgi:application"]
