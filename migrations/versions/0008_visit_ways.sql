-- By which way visits of a site reach the collector, hour by hour. Each worker adds what it counted once a minute.
CREATE TABLE visit_ways (
    company_id  bigint NOT NULL,
    site_id     bigint NOT NULL,
    hour        timestamptz NOT NULL,
    way         text NOT NULL CHECK (way IN ('same_host', 'sub_domain', 'foreign_host')),
    visits      integer NOT NULL DEFAULT 0,
    known       integer NOT NULL DEFAULT 0,        -- of them, those whose page remembered its visitor
    by_cookie   integer NOT NULL DEFAULT 0,        -- of those, the ones whose cookie came as well
    last_at     timestamptz NOT NULL,
    PRIMARY KEY (company_id, site_id, hour, way),
    FOREIGN KEY (company_id, site_id) REFERENCES sites (company_id, id) ON DELETE CASCADE
);
SELECT numberpool_secure('visit_ways');
