-- How long recordings are kept; none: for good. A shorter time counts from recordings_kept_from on, so that whoever set it
-- by mistake can take it back before anything is gone.
ALTER TABLE companies
    ADD COLUMN recordings_kept_days  integer CHECK (recordings_kept_days BETWEEN 1 AND 3650),
    ADD COLUMN recordings_kept_from  timestamptz;

-- A deleted recording leaves its row, which says when. Its file is named until it is off the disk.
ALTER TABLE recordings
    ADD COLUMN deleted_at timestamptz,
    DROP CONSTRAINT recordings_state_check,
    ADD CONSTRAINT recordings_state_check CHECK (state IN ('pending', 'ready', 'empty', 'failed', 'deleted')),
    ADD CONSTRAINT recordings_deleted_check CHECK ((state = 'deleted') = (deleted_at IS NOT NULL));
CREATE INDEX recordings_to_go ON recordings (company_id) WHERE state = 'deleted' AND file IS NOT NULL;
