"""The pipeline file that `leadgate init --from` writes: what was guessed of a database, and what to look at."""

import json
import re
from collections.abc import Iterator, Mapping

from leadgate.model import ColumnType
from leadgate.model.times import EPOCH_MS, EPOCH_S
from leadgate.policy.names import can_be_written, spell
from leadgate.source.date_formats import ISO, DateForm
from leadgate.source.guess import Found, Guess, Guessed
from leadgate.source.survey import Surveyed

Forms = Mapping[tuple[str, str], DateForm]
"""How columns write their dates, by table and column."""

_OTHERS_SHOWN = 20
_PLAIN = re.compile(r"[A-Za-z_]([A-Za-z0-9_. -]*[A-Za-z0-9_])?")
_OTHER_THAN_TEXT = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}

_FILE = """\
# yaml-language-server: $schema=leadgate.schema.json
# A leadgate pipeline, guessed from the tables of a database. Look at each line that is not `sure`, then
# `leadgate check`. docs/settings.md has every setting.
pipeline: acme                          # its name: letters, digits, _ and -

leadbyte:
  base_url: https://acme.leadbyte.com   # your account, or .co.uk
  api_key: ${{LEADBYTE_API_KEY}}

source:
  url: {url}
  leads:                                # who waits: one row a quarantined lead
{leads}
  enrichment:                           # what arrives for them{is_one}
{enrichment}

ledger:
  url: sqlite:///leadgate.db            # relative to this file; or postgresql://...

wait:
  require:                              # complete when none of these is null
{require}
  deadline: 24h                         # after quarantined_at; then a lead is late

# LeadByte field: enrichment column; nulls are left out. Other fields of your LeadByte, such as data1, may stand here.
update:{update}

# The safe start: nothing is processed and nothing rejected; a person decides. A rule that processes looks so
# (a column whose name holds blanks stands in backticks: enrichment.`Lead Number`):
#   - name: good
#     when: {condition}
#     then: process
#     because: Say here why.
policy:
  rules:                                # first match wins; docs/rules.md has the language by example
    - name: not-complete-in-time
      when: late
      then: review
      because: The enrichment was not complete within the deadline.
  otherwise: review

delivery:
  queue_time: 1h                        # a lead that LeadByte has taken has left quarantine by then

review:
  within: 48h                           # reviews that are open for longer end run and status with 1
"""


def write_first_file(url: str, guessed: Guessed, forms: Forms) -> str:
    """Give the text of the file; `url` stands in it as it is."""
    is_one = guessed.leads is guessed.enrichment
    leads = [("table", guessed.leads_table), ("id", guessed.lead_id), ("quarantined_at", guessed.quarantined_at)]
    enrichment = [("table", guessed.enrichment_table), ("id", guessed.enrichment_id)]
    enrichment += [("updated_at", guessed.updated_at)] if guessed.updated_at else []
    return _FILE.format(
        url=in_yaml(url),
        leads="\n".join(_relation(guessed.leads, leads, forms, shows_columns=True)),
        enrichment="\n".join(_relation(guessed.enrichment, enrichment, forms, shows_columns=not is_one)),
        is_one="; here the same table" if is_one else "",
        require="\n".join(_line(f"    - {in_yaml(each.name)}", each.certainty) for each in guessed.require),
        update="".join(
            "\n" + _line(f"  {field}: {in_yaml(each.name)}", each.certainty) for field, each in guessed.update.items()
        )
        or " {}",
        condition=_condition(guessed),
    )


def list_guesses(guessed: Guessed) -> Iterator[str]:
    """Say what was chosen and how surely, a line each."""
    chosen: list[tuple[str, Guess | None]] = [
        ("source.leads.table", guessed.leads_table),
        ("source.leads.id", guessed.lead_id),
        ("source.leads.quarantined_at", guessed.quarantined_at),
        ("source.enrichment.table", guessed.enrichment_table),
        ("source.enrichment.id", guessed.enrichment_id),
        ("source.enrichment.updated_at", guessed.updated_at),
        *(("wait.require", each) for each in guessed.require),
        *((f"update.{field}", each) for field, each in guessed.update.items()),
    ]
    for path, guess in chosen:
        if guess:
            yield f"{guess.certainty:<8} {path}: {in_yaml(guess.name)}"


def list_doubts(surveyed: Surveyed) -> Iterator[str]:
    """Say what to look at before the first run, a sentence each."""
    guessed, forms, others, unread = surveyed
    if others and guessed.enrichment_table.certainty == "a guess":
        yield f"source.enrichment: is it in another table? There are also: {', '.join(others[:_OTHERS_SHOWN])}."
    for name in unread:
        yield f"{name}: its rows cannot be read, as a view's whose columns fail: put it right, or choose another."
    if guessed.lead_id.certainty != "sure":
        yield f"source.leads.id: must be LeadByte's quarantine id, a whole number. Is `{guessed.lead_id.name}`?"
    if guessed.updated_at is None:
        yield (
            "source.enrichment.updated_at: no column seems to say when a row was changed, so every waiting lead is "
            "compared at each look. Name one if there is one."
        )
    elif guessed.updated_at.certainty == "a guess":
        yield (
            f"source.enrichment.updated_at: must move with every change of a row. Does `{guessed.updated_at.name}`? "
            "If not, leave it out."
        )
    for path, found, name in _instants(guessed):
        if found.columns[name].column_type is ColumnType.STRING and (found.name, name) not in forms:
            yield f"{path}: `{name}` is text, and no dates were found in it. Say under `types:` how it writes them."
    for table, column in (place for place, form in forms.items() if not form.is_sure):
        yield (
            f"types: no value of `{column}` of {table} decides which is the day and which the month: "
            f"{forms[table, column].form} is a guess."
        )
    if all(each.certainty == "a guess" for each in guessed.require):
        yield "wait.require: no column has a name that people wait for. Name those that must be there."
    yield "policy.rules: nothing is processed yet. The file says how a rule that processes is written."


def _instants(guessed: Guessed) -> Iterator[tuple[str, Found, str]]:
    yield "source.leads.quarantined_at", guessed.leads, guessed.quarantined_at.name
    if guessed.updated_at:
        yield "source.enrichment.updated_at", guessed.enrichment, guessed.updated_at.name


def _relation(found: Found, keys: list[tuple[str, Guess]], forms: Forms, *, shows_columns: bool) -> Iterator[str]:
    for key, guess in keys:
        yield _line(f"    {key}: {in_yaml(guess.name)}", guess.certainty)
    instants = {guess.name for key, guess in keys if key.endswith("_at")}
    if types := dict(_types(found, instants, forms)):
        yield "    types:"
        for name, (written, comment) in types.items():
            yield _line(f"      {in_yaml(name)}: {written}", comment)
    if shows_columns:
        yield "    # All its columns, and what rules see them as:"
        width = max([31, *(len(in_yaml(name)) for name in found.columns)])
        for name, type_ in found.columns.items():
            seen = type_.column_type.value if type_.column_type else "nothing, unless `types:` says what"
            yield f"    #   {in_yaml(name):<{width}} {seen}"


def _types(found: Found, instants: set[str], forms: Forms) -> Iterator[tuple[str, tuple[str, str]]]:
    """The columns whose dates are not read by themselves: by name, what the file says of them, and a comment."""
    for name, type_ in found.columns.items():
        form = forms.get((found.name, name), DateForm(ISO))
        is_number = type_.column_type in {ColumnType.INT, ColumnType.DOUBLE}
        if is_number and (form.form == EPOCH_S or (form.form == ISO and name in instants)):
            yield name, ("timestamp", "Unix seconds")
        elif form.form in {EPOCH_MS, EPOCH_S}:
            yield name, (f"{{timestamp: {form.form}}}", "by its values")
        elif form.form != ISO:
            comment = "by its values" if form.is_sure else "a guess: day and month may be the other way round"
            yield name, (f"{{timestamp: {json.dumps(form.form)}}}", comment)


def _condition(guessed: Guessed) -> str:
    """A condition on a column that is required, as an example that `check` would take."""
    name = guessed.require[0].name
    written = spell(f"enrichment.{name}")
    match guessed.enrichment.columns[name].column_type:
        case ColumnType.BOOL:
            condition = written
        case ColumnType.INT | ColumnType.DOUBLE:
            condition = f"{written} > 0"
        case ColumnType.STRING:
            # In YAML a ! without quotes would begin a tag.
            condition = f'"!{spell(f"missing.{name}")}"'
        case _:
            return "waited > duration('1h')"
    return condition if can_be_written(name) else "waited > duration('1h')"


def _line(text: str, comment: str) -> str:
    return f"{text:<39} # {comment}"


def in_yaml(text: str) -> str:
    """Write a text as YAML reads it back, on one line: in quotes wherever it could be something else."""
    is_variable = re.fullmatch(r"\$\{\w+\}", text)
    if is_variable or (_PLAIN.fullmatch(text) and text.lower() not in _OTHER_THAN_TEXT):
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())
