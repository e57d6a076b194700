const everywhere = { use_env_variable: 'DATABASE_URL', dialect: 'postgres' };

module.exports = { development: everywhere, test: everywhere, production: everywhere };
