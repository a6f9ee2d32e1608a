# The image of every part: server, worker, apply, and the practice LeadByte. `make image` builds it; docs/containers.md
# says how it is used, alone and with deployments/compose.yaml.
# Any base with Python 3.11 or newer and its venv will do: `make image BASE=...`.
ARG BASE=docker.io/library/python:3.11-slim
FROM ${BASE}

# An environment of its own: the Python of a Debian lets nobody install beside its packages.
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1 DO_NOT_TRACK=1 \
    PREFECT_SERVER_ANALYTICS_ENABLED=false PATH=/venv/bin:${PATH}
RUN python3 -m venv /venv
WORKDIR /leadgate

# The locked packages change seldom: a layer of their own. They can write the report.
COPY requirements.txt .
RUN pip install --require-hashes --no-deps --requirement requirements.txt

# What the practice LeadByte needs, and what builds the install below, is locked too and comes from the index by its
# hash; the install itself asks no index.
COPY requirements-dev.txt .
RUN awk '/^[^ ]/ { of = /^(aiohappyeyeballs|aiohttp|aiosignal|attrs|editables|frozenlist|hatchling|multidict|packaging|pathspec|pluggy|propcache|tomlkit|trove-classifiers|yarl)==/ } of' \
        requirements-dev.txt > /tmp/more.txt \
    && pip install --require-hashes --no-deps --requirement /tmp/more.txt && rm /tmp/more.txt

COPY pyproject.toml README.md ./
COPY leadgate leadgate
COPY cli cli
COPY flows flows
COPY tasks tasks
COPY deployments deployments
RUN pip install --no-index --no-deps --no-build-isolation --editable . \
    && useradd --create-home --uid 10001 leadgate && install --directory --owner 10001 --group 10001 --mode 700 /data

# The server copies its UI to where it may write. Nothing of the image is that, but the home and /data, where a volume
# goes (`-v leadgate:/data`, ledger.url: sqlite:////data/leadgate.db).
ENV PREFECT_UI_STATIC_DIRECTORY=/home/leadgate/ui
# A number, so that Kubernetes can see that it is not root (runAsNonRoot).
USER 10001:10001
# Each file of /run/secrets becomes a variable. The command takes the place of the shell, so that SIGTERM reaches it: it
# lets its runs end first; give it 40 seconds (`docker stop -t 40`).
ENTRYPOINT ["/leadgate/deployments/with-secrets"]
CMD ["python", "-m", "deployments.worker"]
