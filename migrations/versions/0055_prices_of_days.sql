-- What a number costs has a history: a price that is changed holds from that day of the company's calendar on, and reports
-- of earlier days stay as they are. The first price that is known holds for all days before it as well.
CREATE TABLE number_prices (
    company_id  bigint NOT NULL,
    number_id   bigint NOT NULL,
    since       date NOT NULL,
    price       numeric(12, 4) NOT NULL CHECK (price >= 0),   -- a month, in the company's currency; 0: none any more
    PRIMARY KEY (company_id, number_id, since),
    FOREIGN KEY (company_id, number_id) REFERENCES tracking_numbers (company_id, id) ON DELETE CASCADE
);
SELECT numberpool_secure('number_prices');

-- Notes what some numbers cost from today on, where that is something else than before.
CREATE FUNCTION numberpool_note_prices(company bigint, numbers bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO number_prices (company_id, number_id, since, price)
    SELECT n.company_id, n.id, (now() AT TIME ZONE c.time_zone)::date, coalesce(n.monthly_price, p.monthly_price, 0)
    FROM tracking_numbers n
    JOIN companies c ON c.id = n.company_id
    JOIN pools p ON p.company_id = n.company_id AND p.id = n.pool_id
    LEFT JOIN LATERAL (
        SELECT known.price FROM number_prices known
        WHERE known.company_id = n.company_id AND known.number_id = n.id ORDER BY known.since DESC LIMIT 1
    ) last ON true
    WHERE n.company_id = company AND n.id = ANY (numbers)
      AND coalesce(n.monthly_price, p.monthly_price, 0) <> coalesce(last.price, 0)
    ON CONFLICT (company_id, number_id, since) DO UPDATE SET price = excluded.price
$$;

CREATE FUNCTION numberpool_price_of_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM numberpool_note_prices(NEW.company_id, ARRAY[NEW.id]);
    RETURN NULL;
END $$;
CREATE TRIGGER prices AFTER INSERT ON tracking_numbers
    FOR EACH ROW EXECUTE FUNCTION numberpool_price_of_number();
CREATE TRIGGER prices_again AFTER UPDATE OF monthly_price, pool_id ON tracking_numbers
    FOR EACH ROW WHEN ((OLD.monthly_price, OLD.pool_id) IS DISTINCT FROM (NEW.monthly_price, NEW.pool_id))
    EXECUTE FUNCTION numberpool_price_of_number();

CREATE FUNCTION numberpool_price_of_pool() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM numberpool_note_prices(NEW.company_id, (
        SELECT array_agg(id) FROM tracking_numbers
        WHERE company_id = NEW.company_id AND pool_id = NEW.id AND monthly_price IS NULL));
    RETURN NULL;
END $$;
CREATE TRIGGER prices AFTER UPDATE OF monthly_price ON pools
    FOR EACH ROW WHEN (OLD.monthly_price IS DISTINCT FROM NEW.monthly_price) EXECUTE FUNCTION numberpool_price_of_pool();

SELECT set_config('numberpool.companies', 'all', true);
INSERT INTO number_prices (company_id, number_id, since, price)
SELECT n.company_id, n.id, (n.created_at AT TIME ZONE c.time_zone)::date, coalesce(n.monthly_price, p.monthly_price)
FROM tracking_numbers n
JOIN companies c ON c.id = n.company_id
JOIN pools p ON p.company_id = n.company_id AND p.id = n.pool_id
WHERE coalesce(n.monthly_price, p.monthly_price) > 0;
