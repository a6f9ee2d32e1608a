"""A lead export of a CRM as people really have it: one table, all of it text, with blanks, `Select` and British dates.

The columns are those of a well-known public export for lead scoring. The rows are made up from a seed.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, MetaData, NullPool, String, Table, create_engine

DEADLINE = timedelta(hours=24)
_YES_OR_NO = ("Yes", "No", "No", "No", "No", "No")
_CITIES = ("Mumbai", "Mumbai", "Mumbai", "Whitby", "Thame", "Ely", "Wells", "Tier II Cities", "Other Cities")
_QUALITIES = ("High in Relevance", "Might be", "Not Sure", "Low in Relevance", "Worst")
_CHOICES: dict[str, tuple[str, ...]] = {
    "Lead Origin": ("API", "Landing Page Submission", "Lead Add Form"),
    "Lead Source": ("Google", "google", "Direct Traffic", "Olark Chat", ""),
    "Do Not Email": _YES_OR_NO,
    "Do Not Call": ("No",),
    "Converted": ("0", "0", "1"),
    "TotalVisits": ("0", "1", "2", "3", "4", "5", "6", "12", ""),
    "Total Time Spent on Website": ("0", "182", "674", "1428", "1531"),
    "Page Views Per Visit": ("0", "2", "2.5", "3.33", ""),
    "Last Activity": ("Email Opened", "SMS Sent", "Page Visited on Website", ""),
    "Country": ("United Kingdom", "India", "unknown", "", ""),
    "Specialization": ("Select", "Finance Management", "Media and Advertising", ""),
    "How did you hear about X Education": ("Select", "Select", "Online Search", "Word Of Mouth", ""),
    "What is your current occupation": ("Unemployed", "Working Professional", "Student", ""),
    "What matters most to you in choosing a course": ("Better Career Prospects", ""),
    "Search": ("No",),
    "Magazine": ("No",),
    "Newspaper Article": ("No",),
    "X Education Forums": ("No",),
    "Newspaper": ("No",),
    "Digital Advertisement": ("No",),
    "Through Recommendations": ("No",),
    "Receive More Updates About Our Courses": ("No",),
    "Tags": ("Interested in other courses", "Ringing", "Will revert after reading the email", ""),
    "Lead Quality": _QUALITIES,
    "Update me on Supply Chain Content": ("No",),
    "Get updates on DM Content": ("No",),
    "Lead Profile": ("Select", "Potential Lead", "Other Leads", ""),
    "City": _CITIES,
    "Asymmetrique Activity Index": ("01.High", "02.Medium", "03.Low", ""),
    "Asymmetrique Profile Index": ("01.High", "02.Medium", "03.Low", ""),
    "Asymmetrique Activity Score": ("13", "14", "15", ""),
    "Asymmetrique Profile Score": ("15", "16", "18", ""),
    "I agree to pay the amount through cheque": ("No",),
    "A free copy of Mastering The Interview": ("Yes", "No"),
    "Last Notable Activity": ("Modified", "Email Opened", "SMS Sent"),
}
COLUMNS = ("Prospect ID", "Lead Number", *_CHOICES, "Created On")

Row = dict[str, str]


def make_export(leads: int, now: datetime, seed: int = 9) -> list[Row]:
    """Rows of so many leads, most created up to 60 hours before `now`, and no one within an hour of the deadline.

    One in twenty is older, by up to 40 days: some days are beyond the twelfth, whatever day it is today.
    """
    dice = random.Random(seed)  # noqa: S311 - made-up people need no secrets
    spans = [*range(60, 23 * 60), *range(25 * 60, 60 * 60)]
    rows = []
    for number in range(leads):
        row = {name: dice.choice(choices) for name, choices in _CHOICES.items()}
        chance = dice.random()
        if chance < 0.15:
            row["City"] = dice.choice(("", "", "   "))
        elif chance < 0.39:
            row["City"] = dice.choice(("Select", "Select", "Select "))
        if dice.random() < 0.3:
            row["Lead Quality"] = ""
        created = now - timedelta(minutes=dice.choice(spans))
        if dice.random() < 0.05:
            created = now - timedelta(days=dice.randint(3, 40))
        row |= {
            "Prospect ID": f"{dice.getrandbits(128):032x}",
            "Lead Number": str(579_533 + number * 13),
            "Created On": f"{created:%d/%m/%Y %H:%M}",
        }
        rows.append({name: row[name] for name in COLUMNS})
    dice.shuffle(rows)
    return rows


def store_export(url: str, rows: Iterable[Row]) -> None:
    """Make the table `crm_export`, all of it text, and put the rows in."""
    engine = create_engine(url, poolclass=NullPool)
    table = Table("crm_export", MetaData(), *(Column(name, String(120)) for name in COLUMNS))
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(table.insert(), list(rows))


@dataclass(frozen=True, slots=True)
class Person:
    """What an export says of one lead, worked out without leadgate."""

    lead_id: str
    city: str
    country: str
    quality: str
    verdict: str
    """`process`, `reject`, `hold`, `review`, or `wait` while something is missing and there is time."""
    rule: str
    """Empty if no rule decides."""

    @property
    def is_complete(self) -> bool:
        """Whether both columns that are waited for have a value."""
        return bool(self.city and self.quality)


def read_person(row: Row, now: datetime) -> Person:
    """Decide a row by hand, as the rules of the test say it."""

    def value(name: str) -> str:
        text = row[name].strip()
        return "" if text in ("Select", "unknown") else text

    created = datetime.strptime(row["Created On"], "%d/%m/%Y %H:%M").replace(tzinfo=now.tzinfo)
    city, quality, visits = value("City"), value("Lead Quality"), value("TotalVisits")
    is_late = not (city and quality) and now - created > DEADLINE
    if not ((city and quality) or is_late):
        verdict, rule = "wait", ""
    elif value("Do Not Email") == "Yes":
        verdict, rule = "reject", "do-not-email"
    elif is_late:
        verdict, rule = "reject", "never-complete"
    elif quality in ("High in Relevance", "Might be") and visits and int(visits) >= 4:
        verdict, rule = "process", "keen"
    elif quality == "Not Sure":
        verdict, rule = "hold", "not-sure-yet"
    else:
        verdict, rule = "review", ""
    return Person(row["Lead Number"], city, value("Country"), quality, verdict, rule)
