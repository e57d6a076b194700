-- One signed webhook per event, written in the transaction of the event itself.
CREATE TABLE outbox (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  order_id   INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
  event      TEXT    NOT NULL,
  payload    TEXT    NOT NULL,
  signature  TEXT    NOT NULL,
  created_at TEXT    NOT NULL,
  UNIQUE (order_id, event)
) STRICT;
