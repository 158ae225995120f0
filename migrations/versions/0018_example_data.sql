-- Which companies hold example data, and what was made for it besides what is marked by itself: its calls are of the node
-- "example", its visits, visitors, exposures and forms have ids that end in 64656d6f6869.
CREATE TABLE example_data (
    company_id    bigint PRIMARY KEY REFERENCES companies ON DELETE CASCADE,
    filled_at     timestamptz NOT NULL DEFAULT now(),
    since         timestamptz NOT NULL,
    until         timestamptz NOT NULL,
    made_company  boolean NOT NULL,               -- the company was made for it, and goes with it
    made          jsonb NOT NULL                  -- ids of sources and tags that were not there before; callers blocked
);
SELECT numberpool_secure('example_data');
