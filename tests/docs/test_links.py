"""Every link between README, CONTRIBUTING and docs leads to a file and a heading that are there."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, prose


def anchors(path: Path) -> set[str]:
    """The headings of a page, as GitHub names them in links: a second one of a name ends with -1."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in re.findall(r"^#+ (.+?) *$", prose(path), re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    """Addresses on the web are not asked."""
    text = re.sub(r"(?<!`)`[^`\n]+`(?!`)", "", prose(path))
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


def test_every_page_is_reached_from_the_readme() -> None:
    """By a link of its own, or by one from a page that is."""
    reached, ahead = set(), [ROOT / "README.md"]
    while ahead:
        path = ahead.pop()
        reached.add(path)
        for link in re.findall(r"\]\(([^)\s#]+\.md)", path.read_text("utf-8")):
            target = (path.parent / link).resolve()
            if target.exists() and target not in reached:
                ahead.append(target)
    assert [path.name for path in PAGES if path not in reached] == []
