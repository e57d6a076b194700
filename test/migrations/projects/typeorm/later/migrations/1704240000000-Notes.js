module.exports = class Notes1704240000000 {
  name = 'Notes1704240000000';

  async up(runner) {
    await runner.query(`CREATE TABLE "notes" ("id" SERIAL PRIMARY KEY)`);
  }

  async down(runner) {
    await runner.query(`DROP TABLE "notes"`);
  }
};
