-- Up Migration
CREATE TABLE orders (id SERIAL PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id), cents INTEGER NOT NULL DEFAULT 0);

-- Down Migration
DROP TABLE orders;
