exports.up = (knex) =>
  knex.schema.createTable('orders', (table) => {
    table.increments('id');
    table.integer('user_id').notNullable().references('users.id');
    table.integer('cents').notNullable().defaultTo(0);
  });

exports.down = (knex) => knex.schema.dropTable('orders');
