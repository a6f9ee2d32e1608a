"""When and where flows run: schedules for a Prefect server (prefect.yaml) and for a laptop (serve.py)."""
