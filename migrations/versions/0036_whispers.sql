-- Whoever answers is told where the call comes from, in words spoken ahead, where the company wants it.
ALTER TABLE companies
    ADD COLUMN whisper_spoken    boolean NOT NULL DEFAULT false,
    ADD COLUMN whisper_language  text CHECK (whisper_language ~ '^[a-z]{2,3}(-[a-z0-9]{1,8}){0,3}$');   -- none: the country's
-- A sound of the company's own for a source, instead of spoken words.
ALTER TABLE sources ADD COLUMN whisper text;
