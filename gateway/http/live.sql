-- What the stream of changes asks.

-- name: is_seen$
-- Whether a call is among those that the transaction sees.
SELECT EXISTS (SELECT FROM calls WHERE id = :call_id);
