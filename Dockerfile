# A worker, and everything to apply deployments with: `docker build -t leadgate .`
#   docker run -e PREFECT_API_URL -e LEADBYTE_API_KEY -e SOURCE_URL -v ./leadgate.yaml:/leadgate/leadgate.yaml:ro leadgate
# Apply deployments from the same image, so that the checkout is where the workers have it:
#   docker run ... leadgate python -m deployments.apply leadgate.yaml
# No container makes a ledger: a person does, once, with the same address of it in the file (PostgreSQL, or a volume):
#   docker run ... leadgate leadgate ledger create --first-time
# The process is user 10001 and may write to nothing of the image but /data, where a volume goes
# (`-v leadgate:/data`, ledger.url: sqlite:////data/leadgate.db). It must be let read leadgate.yaml, which `leadgate init`
# makes for its owner alone.
FROM python:3.11-slim

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1 DO_NOT_TRACK=1
WORKDIR /leadgate

# The locked packages change seldom: a layer of their own. They can write the report, and are no practice LeadByte.
COPY requirements.txt .
RUN pip install --require-hashes --no-deps --requirement requirements.txt

# What builds the install below is locked too, and comes from the index by its hash; the install itself asks no index.
COPY requirements-dev.txt .
RUN awk '/^[^ ]/ { of = /^(editables|hatchling|packaging|pathspec|pluggy|trove-classifiers)==/ } of' \
        requirements-dev.txt > /tmp/build.txt \
    && pip install --require-hashes --no-deps --requirement /tmp/build.txt && rm /tmp/build.txt

COPY pyproject.toml README.md ./
COPY leadgate leadgate
COPY cli cli
COPY flows flows
COPY tasks tasks
COPY deployments deployments
RUN pip install --no-index --no-deps --no-build-isolation --editable . \
    && useradd --create-home --uid 10001 leadgate && install --directory --owner 10001 --group 10001 --mode 700 /data

# A number, so that Kubernetes can see that it is not root (runAsNonRoot).
USER 10001:10001
# SIGTERM reaches the worker itself, which lets its runs end; give it 40 seconds (`docker stop -t 40`).
CMD ["prefect", "worker", "start", "--pool", "leadgate"]
