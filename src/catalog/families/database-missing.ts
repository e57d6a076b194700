import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, SURE, text } from './answer.ts';

/** The server is there, the database is not. An empty one in its place would hide the loss. */
export const databaseMissing: FailureFamily = {
  name: 'database_missing',
  title: 'the database does not exist',
  diagnose: (c) =>
    Promise.resolve(
      factsOf(c, 'database_missing')
        .slice(0, 1)
        .map((fact) =>
          diagnosis('database_missing', {
            cause: `the ${text(fact, 'object') === 'vhost' ? 'virtual host' : 'database'} ${fact.subject ? `"${fact.subject}" ` : ''}does not exist on the server`,
            confidence: SURE,
            evidence: [fact.line, ...c.drift.filter((d) => d.kind === 'env_key_changed').map((d) => d.message)],
            advice: [
              `check the name of the ${text(fact, 'object') === 'vhost' ? 'virtual host' : 'database'} in the environment of ${c.component.name}`,
              c.drift.length > 0
                ? 'it was there at the last good boot: restore it from a backup'
                : `create it${c.component.migrate.length > 0 ? `, then run ${c.component.migrate.join(' ')}` : ''}`,
            ],
          }),
        ),
    ),
  guard: null,
};
