"""Asking for metrics as Prometheus does."""

import urllib.error
import urllib.request
from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

Scraped = Mapping[str, list[Sample]]


def scrape(port: int) -> dict[str, list[Sample]]:
    """Everything that is told at a port, by name."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found: dict[str, list[Sample]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample)
    return found


def is_served(port: int) -> bool:
    """Whether metrics are told at a port."""
    try:
        return bool(scrape(port))
    except urllib.error.URLError:
        return False


def value(found: Scraped, name: str, **labels: str) -> float:
    """The one number of a name with these labels."""
    (sample,) = (each for each in found[name] if labels.items() <= each.labels.items())
    return float(sample.value)
