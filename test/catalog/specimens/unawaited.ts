import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'unawaited',
    title: 'names the call that is not awaited',
    origin: 'Python 3, a coroutine that is called and not awaited',
    recording: 'py-unawaited',
    command: ['python3', 'coro.py'],
    files: { 'coro.py': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'warm_cache is not awaited', person: 'await warm_cache' },
  },
];
