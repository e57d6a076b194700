import { expect, test } from 'vitest';
import { readElf } from './elf.ts';

const NAMES = '\0libc.so.6\0$ORIGIN/lib:/opt/lib\0GLIBC_2.34\0';
const DYNAMIC_AT = 0x100;
const NAMES_AT = 0x200;

/** A shared object of 64 bits: one segment that holds the whole file, and a dynamic section. */
function sharedObject(): Buffer {
  const bytes = Buffer.alloc(NAMES_AT + NAMES.length);
  bytes.write('\x7fELF\x02\x01\x01', 'latin1');
  bytes.writeUInt16LE(183, 18);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(2, 56);
  segment(bytes, 64, 1, 0, bytes.length);
  segment(bytes, 120, 2, DYNAMIC_AT, 5 * 16);
  const entries = [
    [1, 1],
    [29, NAMES.indexOf('$')],
    [5, 0x1000 + NAMES_AT],
    [10, NAMES.length],
    [0, 0],
  ] as const;
  for (const [n, [tag, value]] of entries.entries()) {
    bytes.writeBigUInt64LE(BigInt(tag), DYNAMIC_AT + n * 16);
    bytes.writeBigUInt64LE(BigInt(value), DYNAMIC_AT + n * 16 + 8);
  }
  bytes.write(NAMES, NAMES_AT, 'latin1');
  return bytes;
}

function segment(bytes: Buffer, at: number, type: number, offset: number, length: number): void {
  bytes.writeUInt32LE(type, at);
  bytes.writeBigUInt64LE(BigInt(offset), at + 8);
  bytes.writeBigUInt64LE(BigInt(0x1000 + offset), at + 16);
  bytes.writeBigUInt64LE(BigInt(length), at + 32);
}

const read = (bytes: Buffer, namesBytesMax = 1024) =>
  readElf((offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)), namesBytesMax);

test('a shared object names its machine, its libraries, where it has them looked for, and all its symbols', async () => {
  const bytes = sharedObject();
  expect(await read(bytes)).toEqual({
    machine: 183,
    is64: true,
    isLittleEndian: true,
    image: {
      interpreter: null,
      sizeBytesMin: bytes.length,
      linking: { needed: ['libc.so.6'], searchPaths: ['$ORIGIN/lib:/opt/lib'], names: NAMES },
    },
  });
});

test('one that was cut off says how long it has to be', async () => {
  const bytes = sharedObject();
  const short = await read(bytes.subarray(0, bytes.length - 1));
  expect(short?.image?.sizeBytesMin).toBe(bytes.length);
  expect((await read(bytes.subarray(0, 100)))?.image).toBeNull();
  expect(await read(bytes.subarray(0, 63))).toBeNull();
});

test('more names than are asked for are not read, and do not count as cut off', async () => {
  const bytes = sharedObject();
  const image = (await read(bytes, NAMES.indexOf('$')))?.image;
  expect(image?.linking).toEqual({ needed: ['libc.so.6'], searchPaths: [''], names: '\0libc.so.6\0' });
  expect(image?.sizeBytesMin).toBe(bytes.length);
});

test('of another byte order only the machine is told', async () => {
  const bytes = sharedObject();
  bytes.writeUInt8(2, 5);
  bytes.writeUInt16BE(22, 18);
  expect(await read(bytes)).toEqual({ machine: 22, is64: true, isLittleEndian: false, image: null });
});

test('a segment table of more rows than are read counts to its end', async () => {
  const bytes = sharedObject();
  bytes.writeUInt16LE(65_535, 56);
  expect((await read(bytes))?.image ?? null).toBeNull();
  const long = Buffer.concat([bytes, Buffer.alloc(200 * 56)]);
  expect((await read(long))?.image?.sizeBytesMin).toBe(64 + 65_535 * 56);
});

test('what is no ELF file is none', async () => {
  expect(await read(Buffer.from('#!/bin/sh\n'.padEnd(100)))).toBeNull();
});
