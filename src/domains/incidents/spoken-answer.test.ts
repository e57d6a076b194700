import { expect, test } from 'vitest';
import { spokenAnswer } from './spoken-answer.ts';

test('an answer in JSON reads as it was meant, even cut off', () => {
  const body = JSON.stringify({ error: { message: '[500] Could not load the "sharp" module\nPossible solutions:\n\tC:\\new' } });
  expect(spokenAnswer(`http://127.0.0.1:80/: HTTP 500: ${body.slice(0, -3)}`)).toBe(
    'http://127.0.0.1:80/: HTTP 500: {"error":{"message":"[500] Could not load the "sharp" module\nPossible solutions:\n\tC:\\new',
  );
});

test('other answers are left as they are', () => {
  for (const detail of ['HTTP 500: C:\\new\\table', 'connection refused', 'exit code 1: grep \\"x\\" {'])
    expect(spokenAnswer(detail)).toBe(detail);
});
