ALTER TABLE orders ADD COLUMN priority INTEGER NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 9);

CREATE INDEX orders_by_state ON orders (state, priority DESC, id);
