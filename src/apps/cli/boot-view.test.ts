import { expect, test, vi } from 'vitest';
import type { GraceEvent } from '../../domains/healing/index.ts';
import { bootView } from './boot-view.ts';

/** What a view without a terminal prints. */
function printed(...events: readonly GraceEvent[]): string {
  const lines: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
  try {
    const view = bootView('plain');
    for (const event of events) view.emit(event);
    view.close();
  } finally {
    write.mockRestore();
  }
  return lines.join('');
}

const needed = (commands: readonly { command: string; why: string }[]): GraceEvent => ({
  type: 'person_needed',
  component: 'api',
  incident: 'autonomy_load_01234567',
  advice: ['stop pid 99', 'or use another port', 'a third thing'],
  commands,
});

test('where a person is needed, advice and commands are shown, each command on a line of its own', () => {
  const text = printed(
    needed([
      { command: "ss -ltnp 'sport = :4610'", why: 'who listens on port 4610' },
      { command: 'grace diff', why: 'what changed' },
    ]),
  );
  expect(text).toBe(
    [
      '      you can   stop pid 99',
      '                or use another port',
      "      run       ss -ltnp 'sport = :4610'  who listens on port 4610",
      '                grace diff                what changed',
      '',
    ].join('\n'),
  );
});

test('no more than can be read while it goes on, and nothing where there is nothing', () => {
  const text = printed(needed(['a', 'b', 'c', 'd'].map((command) => ({ command, why: 'why' }))));
  expect(text).toContain('c  why');
  expect(text).not.toContain('d  why');
  expect(printed(needed([]))).not.toContain('run');
});
