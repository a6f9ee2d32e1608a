-- One row for each rule of each version of the rules: what the leads that it processed were worth.
select
    pipeline,
    policy_version,
    decider,
    count(*) as leads,
    sum(case when sold_at is not null then 1 else 0 end) as sold,
    sum(case when returned then 1 else 0 end) as returned,
    sum(revenue) as revenue,
    sum(revenue) / count(*) as revenue_a_lead
from {{ ref('lead_outcomes') }}
where state = 'processed'
group by pipeline, policy_version, decider
