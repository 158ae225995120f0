-- The page of all companies asks each for its jobs in a period: few facts are of a job.
CREATE INDEX report_facts_jobs ON report_facts (company_id, call_day) WHERE jobs > 0;
