module.exports = {
  up: (query, { INTEGER }) =>
    query.createTable('orders', {
      id: { type: INTEGER, primaryKey: true, autoIncrement: true },
      user_id: { type: INTEGER, allowNull: false, references: { model: 'users', key: 'id' } },
      cents: { type: INTEGER, allowNull: false, defaultValue: 0 },
    }),
  down: (query) => query.dropTable('orders'),
};
