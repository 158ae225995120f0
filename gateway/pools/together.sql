-- name: lend_together
-- Numbers for many pages at once, in a transaction of its own; no row for holders who are not served. See migration 0014.
SELECT place, is_own, number_id, lease_id, e164 FROM numberpool_lend_together(
    :scope, :now,
    :companies::bigint[], :pools::bigint[], :holders::text[], :combinations::jsonb[],
    :pool_companies::bigint[], :pool_ids::bigint[], :idle_before::timestamptz[], :silent_since::timestamptz[],
    :exposures::uuid[], :visits::uuid[], :shown::timestamptz[], :shown_to::bigint[], :pages::bigint[],
    :bare_companies::bigint[], :bare_exposures::uuid[], :bare_visits::uuid[], :bare_shown::timestamptz[],
    :bare_numbers::bigint[], :bare_pages::bigint[]);
