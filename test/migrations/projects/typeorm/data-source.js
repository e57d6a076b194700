const { join } = require('node:path');
const { DataSource } = require('typeorm');

module.exports.source = new DataSource({
  type: 'postgres',
  host: process.env.DB_HOST,
  port: Number(process.env.DB_PORT),
  username: process.env.DB_USER,
  password: process.env.DB_PASSWORD,
  database: process.env.DB_NAME,
  migrations: [join(__dirname, 'migrations/*.js')],
});
