-- Who is told by mail of a message that a caller left; none: nobody.
ALTER TABLE companies ADD COLUMN messages_to text CHECK (messages_to ~ '^[^@[:space:]]{1,200}@[^@[:space:]]{1,200}$');
