"""A person's decision on leads in review: recorded here, sent by the next run like any other."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import null, select, true

from leadgate.errors import ConfigError
from leadgate.ledger.overrides import act_in_doubt, read_whereabouts
from leadgate.ledger.pauses import checked_name
from leadgate.ledger.rows import storable
from leadgate.ledger.schema import entries, in_state, overrides
from leadgate.ledger.unknowns import Unknowns
from leadgate.model import Resolution, Resolved, State

_E = entries.c


class Reviews(Unknowns):
    """The part of the ledger that takes people's decisions."""

    def resolve(  # noqa: PLR0913
        self,
        ids: Sequence[str],
        verdict: Resolution,
        *,
        reason: str,
        by: str,
        hold_for: timedelta,
        now: datetime,
        still_in_quarantine: bool = False,
    ) -> Resolved:
        """End reviews by a person's decision, all in one transaction; of two people who meet the first is heard.

        `process` and `reject` make a lead ready, with the override that stands in place of the rules from then on;
        `wait` holds it for `hold_for`, then the rules decide again. A lead whose act may have been taken already is
        refused unless the person says that it is `still_in_quarantine`. Raises ConfigError without a reason or name.
        """
        by, reason = checked_name(by), storable(reason.strip())
        if not reason:
            msg = "a person's decision needs a reason, which is read later: give one with --reason TEXT"
            raise ConfigError(msg)
        wanted = list(dict.fromkeys(ids))
        clear = true() if still_in_quarantine else act_in_doubt().is_(None)
        # Locked in one order, and looked at again once locked: whoever comes second finds it decided.
        open_ones = (
            select(_E.lead_id)
            .where(self.mine(), in_state(State.REVIEW), _E.lead_id.in_(wanted), clear)
            .order_by(_E.lead_id)
            .with_for_update()
            .cte("open_ones")
        )
        held = verdict is Resolution.WAIT
        ended = (
            entries.update()
            .where(self.mine(), in_state(State.REVIEW), _E.lead_id.in_(select(open_ones.c.lead_id)))
            .values(
                state=State.WAITING if held else State.READY,
                due_at=now + hold_for if held else now,
                # A token of its own: whoever held the lead before can write nothing any more.
                token=_E.token + 1,
                override_token=null() if held else _E.token + 1,
                attempts=0,
                note=f"{by} decided {verdict}: {reason}",
            )
            .returning(_E.lead_id, _E.token)
        )
        row = {"pipeline": self.pipeline, "verdict": verdict, "reason": reason, "decided_by": by, "decided_at": now}
        with self.transaction() as connection:
            tokens: dict[str, int] = {row.lead_id: row.token for row in connection.execute(ended)}
            if tokens:
                rows = [row | {"lead_id": lead_id, "token": token} for lead_id, token in tokens.items()]
                connection.execute(overrides.insert(), rows)
            others = [lead_id for lead_id in wanted if lead_id not in tokens]
            refused = read_whereabouts(connection, self.pipeline, others) if others else {}
        return Resolved([lead_id for lead_id in wanted if lead_id in tokens], dict(refused))
