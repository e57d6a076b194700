import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'thrown_value',
    title: 'says that a promise was rejected with no error',
    origin: 'Node 26, an async function that throws a plain object',
    recording: 'node26-rejected-object',
    command: ['node', 'server.js'],
    files: { 'server.js': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'a promise was rejected with a value that is no error', person: '--trace-uncaught' },
  },
  {
    family: 'thrown_value',
    title: 'shows a text that was thrown',
    origin: 'Node 26, a text thrown',
    recording: 'node26-throw-string',
    command: ['node', 'server.js'],
    files: { 'server.js': '' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'the code threw "license expired", which is no error', person: 'throw an Error' },
  },
  {
    family: 'thrown_value',
    title: 'shows an object that was thrown',
    origin: 'Node 26, a plain object thrown',
    recording: 'node26-thrown-object',
    command: ['node', 'thrownobj.js'],
    files: { 'thrownobj.js': '' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'the code threw "{ code: 42 }"', person: 'throw an Error' },
  },
];
