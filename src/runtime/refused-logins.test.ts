import { expect, test } from 'vitest';
import type { ServerAnswer, ServerQuestion } from '../domains/preflight/index.ts';
import { readServerUrl } from '../catalog/checks/server-url.ts';
import { askOnce, refusedLogins } from './refused-logins.ts';

const SIGNAL = new AbortController().signal;
const REFUSED: ServerAnswer = { state: 'failed', failure: 'login_refused', problem: 'it refused the login (28P01)' };
const ANSWERED: ServerAnswer = { state: 'answered', product: 'PostgreSQL', version: '16.4', clockOffsetMs: 0, certificateEndsMs: null };
const UNREACHABLE: ServerAnswer = { state: 'failed', failure: 'refused', problem: 'the connection was refused: nothing listens there' };
const question = (url: string): ServerQuestion => readServerUrl(url, {}, '/') as ServerQuestion;
const SHOP = question('postgres://app:old@db/shop');

/** A server that gives these answers, one after the other and then the last, each a little later. */
function server(...answers: readonly ServerAnswer[]) {
  const logins: (string | null)[] = [];
  const ask = askOnce(
    refusedLogins((text) => text),
    async ({ password }) => {
      const answer = answers[Math.min(logins.push(password), answers.length) - 1];
      await new Promise(setImmediate);
      return answer as ServerAnswer;
    },
  );
  return { logins, ask: (asked: ServerQuestion) => ask(asked, SIGNAL) };
}

test('a login that was refused is not tried again, however many ask at once', async () => {
  const { ask, logins } = server(REFUSED);
  expect(await Promise.all([ask(SHOP), ask(SHOP), ask(SHOP)])).toEqual([REFUSED, REFUSED, REFUSED]);
  expect(await ask(SHOP)).toEqual(REFUSED);
  expect(logins).toHaveLength(1);
});

test('another password is another login', async () => {
  const { ask, logins } = server(REFUSED, ANSWERED);
  await ask(SHOP);
  expect(await ask(question('postgres://app:new@db/shop'))).toEqual(ANSWERED);
  expect(logins).toEqual(['old', 'new']);
});

test('one that is accepted is tried each time, and a password that is changed later costs one failure', async () => {
  const { ask, logins } = server(ANSWERED, REFUSED);
  await ask(SHOP);
  await Promise.all([ask(SHOP), ask(SHOP)]);
  await ask(SHOP);
  expect(logins).toHaveLength(2);
});

test('where the server could not be asked, the others do not rush to it together', async () => {
  const { ask, logins } = server(UNREACHABLE, REFUSED);
  const failures = (await Promise.all([ask(SHOP), ask(SHOP), ask(SHOP), ask(SHOP)])).map((a) =>
    a.state === 'failed' ? a.failure : a.state,
  );
  expect(failures.toSorted()).toEqual(['login_refused', 'login_refused', 'login_refused', 'refused']);
  expect(logins).toHaveLength(2);
});
