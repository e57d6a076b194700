module.exports = class Orders1704153600000 {
  name = 'Orders1704153600000';

  async up(runner) {
    await runner.query(
      `CREATE TABLE "orders" ("id" SERIAL PRIMARY KEY, "user_id" INTEGER NOT NULL REFERENCES "users" ("id"), "cents" INTEGER NOT NULL DEFAULT 0)`,
    );
  }

  async down(runner) {
    await runner.query(`DROP TABLE "orders"`);
  }
};
