import { dirname, join } from 'node:path';
import * as z from 'zod';
import { messageOf } from '../../kernel/index.ts';
import { RecordedFailureInvalid } from './errors.ts';

/** Larger is no list of differences. */
export const RECORD_BYTES_MAX = 64 * 1024;
/** Differences of one failure; more are told as left out. */
export const WORLD_MAX = 50;
/** Text of one file that failed. Longer ones are told by their size. */
export const TEXT_BYTES_MAX = 4096;
const NAME_CHARS_MAX = 1024;

const path = z.string().min(1).max(NAME_CHARS_MAX);
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,199}$/);
const bytes = z
  .int()
  .min(0)
  .max(1024 * 1024 * 1024);

/** One difference between the world that failed and one that works. Paths are relative to the component's directory. */
const differenceSchema = z.union([
  /** Nothing was there. */
  z.strictObject({ path, was: z.literal('missing') }),
  /** An empty directory stood there. */
  z.strictObject({ path, was: z.literal('directory') }),
  /** A file with this text; secrets are `[redacted]`, and `{{dead pid}}` is a process that does not live. */
  z.strictObject({ path, was: z.literal('text'), text: z.string().max(TEXT_BYTES_MAX) }),
  /** Only the beginning was left of it. */
  z.strictObject({ path, was: z.literal('cut'), bytes }),
  /** Its beginning was right, and the rest was noise. */
  z.strictObject({ path, was: z.literal('damaged'), intactBytes: bytes, bytes }),
  /** A symbolic link to there. */
  z.strictObject({ path, was: z.literal('link'), to: path }),
  /** A socket at which nobody listened. */
  z.strictObject({ path, was: z.literal('dead socket') }),
  /** Its permission bits, octal. */
  z.strictObject({ path, was: z.literal('mode'), mode: z.string().regex(/^[0-7]{3,4}$/) }),
  /** Keys that the env file lacked, and keys that had another value; never values. */
  z.strictObject({ envFile: path, missing: z.array(variable).max(200).default([]), changed: z.array(variable).max(200).default([]) }),
  /** Not set in the environment that Grace was started in. */
  z.strictObject({ variable, was: z.literal('missing') }),
]);

const schema = z.strictObject({
  version: z.literal(1),
  playbook: z.string().regex(/^[a-z][a-z0-9_]{0,199}$/),
  component: z.string().min(1).max(63),
  /** What it has to fail with again. */
  signature: z.string().regex(/^[0-9a-f]{16}$/),
  incident: z.string().max(200).default(''),
  family: z.string().max(100).default(''),
  /** One line, for people. */
  cause: z.string().max(500).default(''),
  world: z.array(differenceSchema).max(WORLD_MAX),
  /** What belongs to the failure and cannot be made in a sandbox, in words: with any of it a test is inconclusive. */
  notReplayable: z.array(z.string().max(500)).max(WORLD_MAX).default([]),
});

/** How the world differed when a playbook's failure happened: names and shapes, never values. JSON beside the playbook. */
export type RecordedFailure = z.infer<typeof schema>;
export type Difference = z.infer<typeof differenceSchema>;

/** `playbooks/NAME.failure.json`, beside the playbook's file. */
export function recordFileOf(playbookFile: string, name: string): string {
  return join(dirname(playbookFile), `${name}.failure.json`);
}

/** @throws RecordedFailureInvalid naming what is wrong */
export function parseRecordedFailure(file: string, text: string): RecordedFailure {
  if (text.length > RECORD_BYTES_MAX) throw new RecordedFailureInvalid(file, `is longer than ${RECORD_BYTES_MAX} bytes`);
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw new RecordedFailureInvalid(file, `is no JSON: ${messageOf(error)}`);
  }
  const read = schema.safeParse(data);
  if (read.success) return read.data;
  const told = read.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`);
  throw new RecordedFailureInvalid(file, told.join('; '));
}

/** As it is written: readable, and the same each time. */
export function printRecordedFailure(record: RecordedFailure): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}
