"""The shape of `leadbyte.sentences`: what an account's LeadByte says in words of its own."""

from typing import Annotated

from pydantic import Field

from leadgate.config.section import Section

Sentence = Annotated[str, Field(min_length=3, max_length=500)]


class TakenConfig(Section):
    """Sentences that say that an act was taken."""

    process: list[Sentence] = Field([])
    reject: list[Sentence] = Field([])


class SentencesConfig(Section):
    """What this account's LeadByte says in words of its own: text with {id} for the lead's id, {n} for a number."""

    taken: TakenConfig = TakenConfig()
    gone: list[Sentence] = Field([])
