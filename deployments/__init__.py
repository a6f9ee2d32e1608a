"""When and where flows run: one manifest (prefect.yaml), for a Prefect server (apply.py) and for a laptop (serve.py)."""
