"""`leadgate schema`: the JSON Schema of the pipeline file, for editors."""

import json

import typer

from cli.output import reports_errors
from leadgate.config.schema import pipeline_schema


@reports_errors
def schema() -> None:
    """Print the JSON Schema of the pipeline file; `leadgate init` writes it to leadgate.schema.json."""
    typer.echo(schema_text(), nl=False)


def schema_text() -> str:
    """Give the schema as the text of a file."""
    return json.dumps(pipeline_schema(), indent=1) + "\n"
