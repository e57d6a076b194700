-- Up Migration
CREATE TABLE users (id SERIAL PRIMARY KEY, email TEXT NOT NULL UNIQUE);

-- Down Migration
DROP TABLE users;
