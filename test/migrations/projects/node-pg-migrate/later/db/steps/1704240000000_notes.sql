-- Up Migration
CREATE TABLE notes (id SERIAL PRIMARY KEY);

-- Down Migration
DROP TABLE notes;
