import { expect, test } from 'vitest';
import type { Logger } from '../../kernel/index.ts';
import { component } from '../supervisor/testing.ts';
import { diagnose } from './diagnose.ts';
import type { CaseFile, Diagnosis, FailureFamily } from './family.ts';

const said: string[] = [];
const logger: Logger = { debug() {}, info() {}, warn() {}, error: (message) => said.push(message) };

const caseFile = (attempts: readonly string[] = [], headline = 'Error: boom'): CaseFile =>
  ({
    failure: { headline, message: 'it ended with exit code 1', output: ['1', '2', '3', '4', '5', '6'] },
    component: component(),
    attempts,
  }) as unknown as CaseFile;

function diagnosis(confidence: number, playbook: string | null, more: Partial<Diagnosis> = {}): Diagnosis {
  const remedy = playbook === null ? null : ({ playbook, description: '', risk: 'low', tier: 'tier_1', steps: [], restart: true } as const);
  return {
    family: playbook ?? 'hold',
    cause: `${playbook ?? 'hold'} ${confidence}`,
    evidence: [],
    confidence,
    remedy,
    advice: [],
    waitFor: null,
    ...more,
  };
}

const family = (name: string, ...answers: readonly Diagnosis[]): FailureFamily => ({
  name,
  title: name,
  diagnose: async () => answers,
  guard: null,
});

const chosenOf = async (answers: readonly Diagnosis[], attempts: readonly string[] = []) =>
  (await diagnose(caseFile(attempts), [family('all', ...answers)], logger)).chosen?.remedy?.playbook ?? null;

test('the most likely remedy is chosen, whichever family named it and in which order', async () => {
  const verdict = await diagnose(
    caseFile(),
    [family('a', diagnosis(0.3, 'guess')), family('b', diagnosis(0.5, 'better'), diagnosis(0.9, 'best'))],
    logger,
  );
  expect(verdict.chosen?.remedy?.playbook).toBe('best');
  expect(verdict.best).toBe(verdict.chosen);
  expect(verdict.all.map((d) => d.confidence)).toEqual([0.9, 0.5, 0.3]);
});

test('a hold that is sure is not overridden by a less sure remedy', async () => {
  expect(await chosenOf([diagnosis(0.7, null), diagnosis(0.69, 'try_it')])).toBeNull();
});

test('a hold that is only a guess is', async () => {
  expect(await chosenOf([diagnosis(0.69, null), diagnosis(0.5, 'try_it')])).toBe('try_it');
});

test('a remedy that is surer than a hold goes first', async () => {
  expect(await chosenOf([diagnosis(0.9, null), diagnosis(0.95, 'sure')])).toBe('sure');
});

test('what was tried is not tried again: the next most likely is', async () => {
  const answers = [diagnosis(0.9, 'first'), diagnosis(0.8, 'second')];
  expect(await chosenOf(answers, ['first'])).toBe('second');
  expect(await chosenOf(answers, ['second', 'first'])).toBeNull();
});

test('a tried remedy does not lift the hold behind it', async () => {
  expect(await chosenOf([diagnosis(0.9, 'first'), diagnosis(0.8, null), diagnosis(0.75, 'weaker')], ['first'])).toBeNull();
});

test('a guess whose playbook has lost its tier since gives way to a last resort like one that people are asked for anyway', async () => {
  const lastResort = diagnosis(0.2, 'go_back');
  const remedy = lastResort.remedy === null ? null : { ...lastResort.remedy, tier: 'tier_3' as const, isLastResort: true as const };
  const answers = [diagnosis(0.5, 'guess'), { ...lastResort, remedy }];
  const chosen = async (tier: 'tier_1' | 'tier_3' | 'tier_4', confidence = 0.5) =>
    (await diagnose(caseFile(), [family('all', diagnosis(confidence, 'guess'), ...answers.slice(1))], logger, async () => tier)).chosen
      ?.remedy?.playbook;
  expect(await chosenOf(answers)).toBe('guess');
  expect([await chosen('tier_1'), await chosen('tier_3'), await chosen('tier_4')]).toEqual(['guess', 'go_back', 'go_back']);
  expect(await chosen('tier_3', 0.6), 'what is no guess goes first, whoever is asked').toBe('guess');
});

test('a family that throws is left out and logged, and the others still answer', async () => {
  const broken: FailureFamily = {
    ...family('broken'),
    diagnose: async () => {
      throw new Error('cannot read properties of undefined');
    },
  };
  const verdict = await diagnose(caseFile(), [broken, family('b', diagnosis(0.5, 'works'))], logger);
  expect(verdict.chosen?.remedy?.playbook).toBe('works');
  expect(said).toContain('family broken could not diagnose');
});

test('where nobody knows anything, the output is the explanation and the log the advice', async () => {
  const verdict = await diagnose(caseFile(), [], logger);
  expect(verdict.chosen).toBeNull();
  expect(verdict.best).toMatchObject({ family: 'unexplained', cause: 'Error: boom', evidence: ['2', '3', '4', '5', '6'], confidence: 0 });
  expect(verdict.best.advice[0]).toContain(component().logFile);
  expect((await diagnose(caseFile([], ''), [], logger)).best.cause).toBe('it ended with exit code 1');
});
