CREATE TABLE orders (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  customer   TEXT    NOT NULL CHECK (length(customer) > 0),
  item       TEXT    NOT NULL CHECK (length(item) > 0),
  quantity   INTEGER NOT NULL CHECK (quantity > 0),
  state      TEXT    NOT NULL CHECK (state IN ('accepted', 'packed', 'shipped')),
  created_at TEXT    NOT NULL
) STRICT;

-- UNIQUE is what makes "packed exactly once" a fact of the database rather than a promise of the worker.
CREATE TABLE order_events (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  order_id INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
  state    TEXT    NOT NULL,
  at       TEXT    NOT NULL,
  UNIQUE (order_id, state)
) STRICT;
