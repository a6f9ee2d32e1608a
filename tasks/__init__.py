"""The six stages of a lead's way, one a file: thin Prefect tasks over the core that know nothing of each other."""
