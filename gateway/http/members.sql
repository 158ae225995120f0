-- The users of a company: roles, telephones, invitations.

-- name: members_of
-- Everybody in a company, by name.
SELECT u.id AS user_id, u.email, u.name, m.role, m.created_at, u.totp_since IS NOT NULL AS has_second_step,
       (SELECT max(s.last_seen) FROM sessions s WHERE s.user_id = u.id AND NOT s.awaits_code) AS last_seen,
       coalesce((SELECT array_agg(e.endpoint ORDER BY e.endpoint) FROM member_endpoints e
                 WHERE e.company_id = m.company_id AND e.user_id = m.user_id), '{}') AS endpoints
FROM memberships m JOIN users u ON u.id = m.user_id
WHERE m.company_id = :company_id
ORDER BY array_position(ARRAY['owner', 'manager', 'analyst', 'agent'], m.role), lower(coalesce(nullif(u.name, ''), u.email));

-- name: member^
-- One of them.
SELECT u.id AS user_id, u.email, u.name, m.role, m.created_at, u.totp_since IS NOT NULL AS has_second_step,
       NULL::timestamptz AS last_seen,
       coalesce((SELECT array_agg(e.endpoint ORDER BY e.endpoint) FROM member_endpoints e
                 WHERE e.company_id = m.company_id AND e.user_id = m.user_id), '{}') AS endpoints
FROM memberships m JOIN users u ON u.id = m.user_id
WHERE m.company_id = :company_id AND m.user_id = :user_id;

-- name: take_turn$
-- Changes of a company's users take turns: two owners who remove each other at once leave one.
SELECT pg_advisory_xact_lock(hashtextextended('members/' || :company_id::bigint::text, 0));

-- name: owners$
SELECT count(*) FROM memberships WHERE company_id = :company_id AND role = 'owner';

-- name: add_member$
-- Nothing comes back where somebody is a member already.
INSERT INTO memberships (company_id, user_id, role) VALUES (:company_id, :user_id, :role)
ON CONFLICT (user_id, company_id) DO NOTHING RETURNING user_id;

-- name: set_role!
UPDATE memberships SET role = :role WHERE company_id = :company_id AND user_id = :user_id;

-- name: remove_member!
DELETE FROM memberships WHERE company_id = :company_id AND user_id = :user_id;

-- name: end_sessions_of_nobody!
-- Somebody who is a member of nothing any more is signed out everywhere.
DELETE FROM sessions WHERE user_id = :user_id AND NOT :is_member_elsewhere::boolean;

-- name: memberships_of$
-- How many companies somebody is in; for a transaction that sees all of them.
SELECT count(*) FROM memberships WHERE user_id = :user_id;

-- name: forget_endpoints!
DELETE FROM member_endpoints WHERE company_id = :company_id AND user_id = :user_id AND NOT endpoint = ANY (:kept::text[]);

-- name: add_endpoint!
INSERT INTO member_endpoints (company_id, user_id, endpoint) VALUES (:company_id, :user_id, :endpoint)
ON CONFLICT DO NOTHING;

-- name: known_endpoints
-- Telephones that calls reached so far, and those that destinations ring; each once, without reading every call.
WITH RECURSIVE reached (endpoint) AS (
    (SELECT endpoint FROM endpoints_reached WHERE company_id = :company_id ORDER BY endpoint LIMIT 1)
    UNION ALL
    SELECT (SELECT r.endpoint FROM endpoints_reached r
            WHERE r.company_id = :company_id AND r.endpoint > reached.endpoint ORDER BY r.endpoint LIMIT 1)
    FROM reached WHERE reached.endpoint IS NOT NULL
)
SELECT endpoint FROM (SELECT endpoint FROM reached WHERE endpoint IS NOT NULL LIMIT 500) first_ones
UNION
SELECT unnest(string_to_array(dial, '&')) FROM destinations
WHERE company_id = :company_id AND dial !~ '^Dialplan/'
ORDER BY endpoint;

-- name: member_by_email^
-- Whether somebody with that address is a member.
SELECT u.id AS user_id, m.role FROM users u JOIN memberships m ON m.user_id = u.id
WHERE m.company_id = :company_id AND u.email = :email;

-- name: insert_invitation$
INSERT INTO invitations (email, name, language, invited_by, expires_at)
VALUES (:email, :name, :language, :invited_by, now() + :valid::interval) RETURNING id;

-- name: invite_to!
INSERT INTO invited_to (company_id, invitation_id, role, endpoints)
VALUES (:company_id, :invitation_id, :role, :endpoints::text[])
ON CONFLICT (company_id, invitation_id) DO NOTHING;

-- name: forget_open_invitations!
-- A new invitation of somebody to a company takes the place of those before it.
DELETE FROM invited_to t USING invitations i
WHERE i.id = t.invitation_id AND t.company_id = :company_id AND i.email = :email AND i.accepted_at IS NULL;

-- name: forget_invitations_by!
-- What somebody who is removed has begun does not go on without him.
DELETE FROM invited_to t USING invitations i
WHERE i.id = t.invitation_id AND t.company_id = :company_id AND i.invited_by = :user_id AND i.accepted_at IS NULL;

-- name: insert_invitation_link!
INSERT INTO invitation_links (token_hash, invitation_id) VALUES (:token_hash, :invitation_id);

-- name: open_invitations
-- Who was invited to a company and has not come yet, the last one first; too old ones for a while, so that somebody sees.
SELECT i.id, i.email, i.name, i.created_at, i.expires_at, i.sent_at, t.role, t.endpoints,
       coalesce(nullif(u.name, ''), u.email, '') AS invited_by
FROM invited_to t
JOIN invitations i ON i.id = t.invitation_id
LEFT JOIN users u ON u.id = i.invited_by
WHERE t.company_id = :company_id AND i.accepted_at IS NULL AND i.expires_at > now() - interval '30 days'
ORDER BY i.created_at DESC, i.id DESC
LIMIT 200;

-- name: open_invitation^
-- One of them.
SELECT i.id, i.email, i.name, i.created_at, i.expires_at, i.sent_at, t.role, t.endpoints,
       coalesce(nullif(u.name, ''), u.email, '') AS invited_by
FROM invited_to t
JOIN invitations i ON i.id = t.invitation_id
LEFT JOIN users u ON u.id = i.invited_by
WHERE t.company_id = :company_id AND i.id = :id AND i.accepted_at IS NULL;

-- name: withdraw_invitation$
-- From one company; the others that it is for stay.
DELETE FROM invited_to t USING invitations i
WHERE i.id = t.invitation_id AND t.company_id = :company_id AND t.invitation_id = :id AND i.accepted_at IS NULL
RETURNING t.invitation_id;

-- name: invitation_was_sent!
UPDATE invitations SET sent_at = now() WHERE id = :id;

-- name: invitation_companies
-- What an invitation is for, while it is good; by its id. For a transaction that sees all companies.
SELECT i.id, i.email, i.name, i.language, i.expires_at, coalesce(nullif(u.name, ''), u.email, '') AS invited_by,
       t.company_id, c.name AS company_name, t.role, t.endpoints
FROM invitations i
JOIN invited_to t ON t.invitation_id = i.id
JOIN companies c ON c.id = t.company_id
LEFT JOIN users u ON u.id = i.invited_by
WHERE i.id = :id AND i.accepted_at IS NULL AND i.expires_at > now()
ORDER BY c.name, c.id;

-- name: invitation_of_link$
-- Which invitation a link opens.
SELECT invitation_id FROM invitation_links WHERE token_hash = :token_hash;

-- name: accept_invitation$
-- Use an invitation up; nothing comes back where it was used or is too old.
UPDATE invitations SET accepted_at = now() WHERE id = :id AND accepted_at IS NULL AND expires_at > now() RETURNING id;
