"""Serve a pipeline from this process: `python -m deployments.serve leadgate.yaml`, on a laptop or one machine.

It serves every deployment of the manifest that apply puts onto a server, with its schedules and triggers, until Ctrl-C.
Needs a Prefect server: `prefect server start` in another terminal, and PREFECT_API_URL=http://127.0.0.1:4200/api here.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from prefect import serve
from prefect.deployments.runner import RunnerDeployment
from prefect.utilities.callables import ParameterSchema

from deployments.command import ends_in_a_sentence
from deployments.wanted import ROOT, WantedDeployment, read_files, wanted_deployments
from leadgate.wiring.ledger import ledger_of


@ends_in_a_sentence
def main(arguments: Sequence[str]) -> int:
    """Check the pipeline file named by the first argument, then serve its runs."""
    path = Path(arguments[0] if arguments else "leadgate.yaml").resolve()
    (file,) = read_files([path])
    with ledger_of(path):
        pass  # what is wrong with it is said here, and not by every run
    wanted = wanted_deployments(file._replace(config=str(path)))
    for each in wanted:
        for name, value in each.fields["job_variables"]["env"].items():
            os.environ.setdefault(name, value)
    serve(*map(as_served, wanted))
    return 0


def as_served(wanted: WantedDeployment) -> RunnerDeployment:
    """Leave out what only a worker needs: its work pool, and the steps by which it finds the code."""
    fields = wanted.fields
    served = RunnerDeployment.from_entrypoint(
        f"{ROOT}/{fields['entrypoint']}",
        name=wanted.name,
        description=fields["description"],
        tags=fields["tags"],
        parameters=fields["parameters"],
        schedules=list(wanted.schedules),
        triggers=list(wanted.triggers),
    )
    # It reads the flow's own, which has no titles, and takes no other.
    served._parameter_openapi_schema = ParameterSchema(**fields["parameter_openapi_schema"])  # noqa: SLF001
    return served


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
