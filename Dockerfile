# A worker, and everything to apply deployments with: `docker build -t leadgate .`
#   docker run -e PREFECT_API_URL -e LEADBYTE_API_KEY -e SOURCE_URL -v ./leadgate.yaml:/leadgate/leadgate.yaml:ro leadgate
# Apply deployments from the same image, so that the checkout is where the workers have it:
#   docker run ... leadgate python -m deployments.apply leadgate.yaml
# No container makes a ledger: a person does, once, with the same address of it in the file (PostgreSQL, or a volume):
#   docker run ... leadgate leadgate ledger create --first-time
FROM python:3.11-slim

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1 DO_NOT_TRACK=1
WORKDIR /leadgate

# The locked packages change seldom: a layer of their own. They can write the report, and are no practice LeadByte.
COPY requirements.txt .
RUN pip install --require-hashes --no-deps --requirement requirements.txt

COPY pyproject.toml README.md ./
COPY leadgate leadgate
COPY cli cli
COPY flows flows
COPY tasks tasks
COPY deployments deployments
RUN pip install --no-deps --editable . && useradd --create-home leadgate && chown leadgate /leadgate

USER leadgate
# SIGTERM reaches the worker itself, which lets its runs end; give it 40 seconds (`docker stop -t 40`).
CMD ["prefect", "worker", "start", "--pool", "leadgate"]
