module.exports = {
  up: (query, { INTEGER, TEXT }) =>
    query.createTable('users', {
      id: { type: INTEGER, primaryKey: true, autoIncrement: true },
      email: { type: TEXT, allowNull: false, unique: true },
    }),
  down: (query) => query.dropTable('users'),
};
