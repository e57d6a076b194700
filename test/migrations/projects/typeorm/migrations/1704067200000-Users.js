module.exports = class Users1704067200000 {
  name = 'Users1704067200000';

  async up(runner) {
    await runner.query(`CREATE TABLE "users" ("id" SERIAL PRIMARY KEY, "email" TEXT NOT NULL UNIQUE)`);
  }

  async down(runner) {
    await runner.query(`DROP TABLE "users"`);
  }
};
