module.exports = {
  up: (query, { INTEGER }) =>
    query.createTable('notes', {
      id: { type: INTEGER, primaryKey: true, autoIncrement: true },
    }),
  down: (query) => query.dropTable('notes'),
};
