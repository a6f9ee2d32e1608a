"""Telling Prefect of a pipeline by an event: counts alone, never ids or what belongs to a person."""

from collections.abc import Mapping

from prefect.events import emit_event


def tell(event: str, pipeline: str, payload: Mapping[str, int]) -> None:
    """Send an event about a pipeline, as the resource `leadgate.pipeline.NAME` that automations match."""
    resource = {"prefect.resource.id": f"leadgate.pipeline.{pipeline}", "prefect.resource.name": pipeline}
    emit_event(event, resource=resource, payload=dict(payload))
