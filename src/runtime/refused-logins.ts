import type { AskServer, ServerAnswer, ServerQuestion } from '../domains/preflight/index.ts';

/** Where a login goes to, and what it says. It holds the password: never log it. */
export type Login = Pick<ServerQuestion, 'protocol' | 'host' | 'port' | 'user' | 'password' | 'database'>;

/** `refused`: by the server, now or earlier; `code` is its own, where it has one. `unknown`: it did not come to a login. */
export type LoginAttempt<T> =
  | { readonly state: 'accepted' | 'unknown'; readonly value: T }
  | { readonly state: 'refused'; readonly code: string | null };

/** Logins that a server has refused are not tried again: servers and firewalls lock out who fails often, and the service with him. */
export interface RefusedLogins {
  /**
   * Makes an attempt, unless the same login was refused before. Of several at the same time one goes first, and the others wait for what
   * it learns.
   * @throws what the attempt throws
   */
  attempt<T>(login: Login, make: () => Promise<LoginAttempt<T>>): Promise<LoginAttempt<T>>;
}

/** A service has a few; who changes its password each minute is not remembered for ever. */
const REFUSED_MAX = 200;
/** The code of a server in our own words about it: `it refused the login (28P01)`. */
const CODE = /\(([0-9A-Z]{3,5})\)$/;

/**
 * Remembers for as long as this Grace runs. Another password is another login; the next boot and `grace check` begin with an empty memory.
 * @param digest  keyed: what is remembered says nothing about the password
 */
export function refusedLogins(digest: (text: string) => string): RefusedLogins {
  const refused = new Map<string, string | null>();
  /** Whether the one that goes first learned anything: where the server could not be asked, the next one goes first. */
  const first = new Map<string, Promise<boolean>>();
  return {
    async attempt(login, make) {
      const { protocol, host, port, user, password, database } = login;
      const key = digest(JSON.stringify([protocol, host, port, user, password, database]));
      for (let running = first.get(key); running !== undefined; running = first.get(key)) if (await running) break;
      const known = refused.get(key);
      if (known !== undefined) return { state: 'refused', code: known };
      const made = make().then((outcome) => {
        if (outcome.state === 'refused') {
          refused.set(key, outcome.code);
          const [oldest] = refused.keys();
          if (refused.size > REFUSED_MAX && oldest !== undefined) refused.delete(oldest);
        }
        return outcome;
      });
      if (first.has(key)) return made;
      const isLearned = made.then(
        ({ state }) => state !== 'unknown',
        () => false,
      );
      first.set(key, isLearned);
      try {
        return await made;
      } finally {
        first.delete(key);
      }
    },
  };
}

/** Asks as `ask` does, but never again with a login that was refused. */
export function askOnce(logins: RefusedLogins, ask: AskServer): AskServer {
  return async (question, signal) => {
    // Without a login nothing can be refused but the question.
    if (question.user === null && question.password === null) return ask(question, signal);
    const attempt = await logins.attempt<ServerAnswer>(question, async () => {
      const answer = await ask(question, signal);
      if (answer.state === 'answered') return { state: 'accepted', value: answer };
      if (answer.failure !== 'login_refused') return { state: 'unknown', value: answer };
      return { state: 'refused', code: CODE.exec(answer.problem)?.[1] ?? null };
    });
    if (attempt.state !== 'refused') return attempt.value;
    // The same words the first time and later: other words would be another finding.
    const problem = `it refused the login${attempt.code === null ? '' : ` (${attempt.code})`}`;
    return { state: 'failed', failure: 'login_refused', problem };
  };
}
