"""When and where flows run: one manifest (prefect.yaml), for a Prefect server (apply.py) or a laptop (serve.py)."""
