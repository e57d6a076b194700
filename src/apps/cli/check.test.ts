import { describe, expect, onTestFinished, test } from 'vitest';
import type { BootReport } from '../../domains/boot/index.ts';
import { verdict } from './check.ts';
import { visibleLength } from './terminal.ts';

const REPORT = {
  service: 'api',
  boot_id: 'b1',
  stages: [
    {
      stage: 'Continuous Monitor & Validation',
      result: 'success',
      durationMs: 1200,
      failure: null,
      fixes: [],
      findings: [],
      checks: [{ name: 'imports', title: 'a title that is longer than any that ships', durationMs: 12, isRemembered: true, findings: [] }],
    },
  ],
  summary: { duration_ms: 1300 },
} as unknown as BootReport;

function lines(width: number): readonly string[] {
  const before = process.stdout.columns;
  process.stdout.columns = width;
  onTestFinished(() => {
    process.stdout.columns = before;
  });
  return (verdict(REPORT, [], true).lines ?? []).slice(0, 5);
}

describe('the table of checks', () => {
  test.each([46, 60, 80])('is no wider than a terminal of %i columns', (width) => {
    expect(Math.max(...lines(width).map(visibleLength))).toBeLessThanOrEqual(width);
  });

  test('cuts titles where they have no room, and says that it did', () => {
    expect(lines(50)[3]).toMatch(/^ {3}a title that is l…/);
    expect(lines(50)[2]).toMatch(/^Continuous Monitor.{0,3}…/);
    expect(lines(100)[3]).toContain('a title that is longer than any that ships');
  });
});
