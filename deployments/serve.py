"""Serve a pipeline from this process: `python -m deployments.serve leadgate.yaml`, on a laptop or one machine.

Runs every 5 minutes and whenever somebody asks for it in the Prefect UI, until Ctrl-C. Needs a Prefect server:
`prefect server start` in another terminal, and PREFECT_API_URL=http://127.0.0.1:4200/api here.
"""

import sys
from datetime import timedelta
from pathlib import Path

from flows.release_leads import release_leads
from leadgate.config import load_config
from leadgate.errors import ConfigError

EVERY = timedelta(minutes=5)


def main(arguments: list[str]) -> int:
    """Check the pipeline file named by the first argument, then serve its runs."""
    path = Path(arguments[0] if arguments else "leadgate.yaml").resolve()
    try:
        config = load_config(path)
    except ConfigError as error:
        for problem in error.problems:
            print(f"leadgate: {problem}", file=sys.stderr)  # noqa: T201 - a command speaks
        return 2
    release_leads.serve(
        name=f"release-leads-{config.pipeline}",
        description=f"Release or reject the leads of {config.pipeline} whose enrichment has arrived.",
        tags=["leadgate", f"pipeline:{config.pipeline}"],
        interval=EVERY,
        parameters={"config": str(path)},
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
