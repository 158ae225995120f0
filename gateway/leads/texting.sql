-- Texts among the leads.

-- name: add_text!
INSERT INTO leads (company_id, id, kind, data, phone, number_id, number, received_at)
SELECT :company_id, :id, 'text', :data::jsonb, :phone, :number_id::bigint, :number, :received_at;
