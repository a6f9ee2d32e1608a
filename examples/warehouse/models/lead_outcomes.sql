-- One row a lead: what leadgate decided of it and why, how long that took, and what became of it afterwards.
select
    leads.pipeline,
    leads.lead_id,
    leads.state,
    leads.quarantined_at,
    leads.complete_at,
    leads.settled_at,
    leads.late,
    leads.verdict,
    coalesce(leads.rule, case when leads.decided_by is null then '(otherwise)' else '(person)' end) as decider,
    leads.policy_version,
    leads.inferred,
    outcomes.sold_at,
    coalesce(outcomes.revenue, 0) as revenue,
    outcomes.returned_at is not null as returned
from {{ source('leadgate', 'leadgate_leads') }} as leads
left join {{ source('sales', 'outcomes') }} as outcomes on outcomes.lead_id = leads.lead_id
