-- What PostgreSQL keeps beside what is in the file for both databases.

ALTER TABLE leadgate_overrides DROP CONSTRAINT leadgate_overrides_verdict_is_known;

ALTER TABLE leadgate_overrides ADD CONSTRAINT leadgate_overrides_verdict_is_known
CHECK (verdict in ('process', 'reject', 'wait', 'again', 'undo', 'was-processed', 'was-rejected', 'not-taken', 'discard'));

COMMENT ON COLUMN leadgate_entries.arrivals IS 'by required column: [last not there, first seen], or null';

CREATE FUNCTION leadgate_count_settled() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE leadgate_settled AS s SET leads = s.leads - gone.leads
        FROM (
            SELECT pipeline, state, inferred, count(*) AS leads FROM old_rows
            WHERE settled_at IS NOT NULL GROUP BY pipeline, state, inferred
        ) AS gone
        WHERE s.pipeline = gone.pipeline AND s.state = gone.state AND s.inferred = gone.inferred;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO leadgate_settled AS s (pipeline, state, inferred, leads)
        SELECT pipeline, state, inferred, count(*) FROM new_rows
        WHERE settled_at IS NOT NULL GROUP BY pipeline, state, inferred ORDER BY pipeline, state, inferred
        ON CONFLICT (pipeline, state, inferred) DO UPDATE SET leads = s.leads + excluded.leads;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER leadgate_entries_come AFTER INSERT ON leadgate_entries
REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION leadgate_count_settled();

CREATE TRIGGER leadgate_entries_change AFTER UPDATE ON leadgate_entries
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION leadgate_count_settled();

CREATE TRIGGER leadgate_entries_go AFTER DELETE ON leadgate_entries
REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION leadgate_count_settled();

COMMENT ON COLUMN leadgate_settled.state IS 'processed, rejected, gone or discarded';

COMMENT ON COLUMN leadgate_settled.leads IS 'kept by triggers of leadgate_entries';

COMMENT ON VIEW leadgate_leads IS 'One row a lead: where it is now, and the decision that stands.';

COMMENT ON COLUMN leadgate_leads.pipeline IS 'the pipeline''s name';

COMMENT ON COLUMN leadgate_leads.lead_id IS 'LeadByte''s quarantine id, as text';

COMMENT ON COLUMN leadgate_leads.state IS 'waiting, ready, sending, unknown, review, processed, rejected, gone, withdrawn, failed or discarded';

COMMENT ON COLUMN leadgate_leads.quarantined_at IS 'when it went into quarantine, by the source';

COMMENT ON COLUMN leadgate_leads.registered_at IS 'when leadgate first saw it';

COMMENT ON COLUMN leadgate_leads.complete_at IS 'when all that it waits for was first seen; null: not yet, or never';

COMMENT ON COLUMN leadgate_leads.late IS 'whether its deadline had passed without all of its data';

COMMENT ON COLUMN leadgate_leads.decided_at IS 'when the decision that stands was made; null: none yet';

COMMENT ON COLUMN leadgate_leads.verdict IS 'of that decision: process, reject, hold or review';

COMMENT ON COLUMN leadgate_leads.rule IS 'that decided; null: none matched, or a person decided';

COMMENT ON COLUMN leadgate_leads.reason IS 'of that decision';

COMMENT ON COLUMN leadgate_leads.policy_version IS 'of the rules that decided';

COMMENT ON COLUMN leadgate_leads.decided_by IS 'the person whose word that decision follows; null: the rules decided';

COMMENT ON COLUMN leadgate_leads.settled_at IS 'when it came to its end: processed, rejected, gone or discarded; null: not yet';

COMMENT ON COLUMN leadgate_leads.inferred IS 'processed or rejected by evidence or by a person''s word, not by an answer of LeadByte';

COMMENT ON COLUMN leadgate_leads.in_doubt IS 'whether an act may have been taken that nothing proves';

COMMENT ON COLUMN leadgate_leads.last_word IS 'the last that a person said of it: process, reject, wait, again, undo, discard, or what became of its act';

COMMENT ON COLUMN leadgate_leads.last_word_by IS 'who said it';

COMMENT ON COLUMN leadgate_leads.last_word_at IS 'when';

COMMENT ON VIEW leadgate_decisions IS 'One row for each time that a lead was decided.';

COMMENT ON COLUMN leadgate_decisions.pipeline IS 'the pipeline''s name';

COMMENT ON COLUMN leadgate_decisions.lead_id IS 'LeadByte''s quarantine id, as text';

COMMENT ON COLUMN leadgate_decisions.decision IS 'its number: the later ones of a lead are larger';

COMMENT ON COLUMN leadgate_decisions.decided_at IS 'when';

COMMENT ON COLUMN leadgate_decisions.verdict IS 'process, reject, hold or review';

COMMENT ON COLUMN leadgate_decisions.rule IS 'that decided; null: none matched, or a person decided';

COMMENT ON COLUMN leadgate_decisions.reason IS 'why';

COMMENT ON COLUMN leadgate_decisions.policy_version IS 'of the rules';

COMMENT ON COLUMN leadgate_decisions.late IS 'whether it was decided without all of its data';

COMMENT ON COLUMN leadgate_decisions.decided_by IS 'the person whose word it follows; null: the rules decided';

COMMENT ON COLUMN leadgate_decisions.paused IS 'held by a pause: decided again when that ends';

COMMENT ON COLUMN leadgate_decisions.observed IS 'made while delivery.observe was on: nothing was sent for it';

COMMENT ON COLUMN leadgate_decisions.capped IS 'safety.budgets had no room for its act';

COMMENT ON COLUMN leadgate_decisions.stands IS 'whether it is the decision that stands for the lead';

COMMENT ON VIEW leadgate_requests IS 'One row for each lead of each request to LeadByte.';

COMMENT ON COLUMN leadgate_requests.pipeline IS 'the pipeline''s name';

COMMENT ON COLUMN leadgate_requests.lead_id IS 'LeadByte''s quarantine id, as text';

COMMENT ON COLUMN leadgate_requests.request_id IS 'the leads of one request share it';

COMMENT ON COLUMN leadgate_requests.decision IS 'the decision that it follows, as in leadgate_decisions; a probe or a control follows none';

COMMENT ON COLUMN leadgate_requests.kind IS 'update, update_and_act, act, probe or control';

COMMENT ON COLUMN leadgate_requests.action IS 'process or reject; null: the request carried no act';

COMMENT ON COLUMN leadgate_requests.sent_at IS 'when it was committed, right before it was sent';

COMMENT ON COLUMN leadgate_requests.answered_at IS 'when its outcome was recorded; null: awaited';

COMMENT ON COLUMN leadgate_requests.outcome IS 'taken, refused, in_doubt or gone; null: awaited';

COMMENT ON COLUMN leadgate_requests.http_status IS 'of LeadByte''s answer; null: there was none';
