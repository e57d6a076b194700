import { closeSync, openSync, readSync, fstatSync } from 'node:fs';

/** What a shared object says of itself. */
export interface ElfHeader {
  /** As `process.arch` names it; null for a processor Node does not run on. */
  readonly arch: string | null;
  /** Shared libraries it is linked to. */
  readonly needed: readonly string[];
  /** Where it looks for them by itself, `$ORIGIN` in place. */
  readonly searched: readonly string[];
  /** ABI of Node it was compiled for, where a symbol says so; `napi` fits every Node. */
  readonly abi: 'napi' | number | null;
  /** The newest version of glibc whose symbols it needs, `2.34`. */
  readonly glibc: string | null;
}

const MACHINES: Readonly<Record<number, string>> = {
  3: 'ia32',
  40: 'arm',
  62: 'x64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64',
  21: 'ppc64',
  22: 's390x',
};
const HEADERS_MAX = 200;
/** Names of symbols of large modules are a few MiB. */
const STRINGS_BYTES_MAX = 32 * 1024 * 1024;
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT_NEEDED = 1n;
const DT_STRTAB = 5n;
const DT_STRSZ = 10n;
const DT_RPATH = 15n;
const DT_RUNPATH = 29n;

/**
 * Reads the header of a native module and its dynamic section, and loads nothing of it.
 * @returns null for what is no ELF file of 64 bits, or is cut off
 * @see System V ABI, chapters 4 and 5
 */
export function elfHeader(file: string): ElfHeader | null {
  let fd: number | null = null;
  try {
    fd = openSync(file, 'r');
    return read(fd);
  } catch {
    return null;
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

function read(fd: number): ElfHeader | null {
  const { size } = fstatSync(fd);
  const part = (at: number, length: number): Buffer => {
    if (at < 0 || length < 0 || at + length > size) throw new RangeError('cut off');
    const bytes = Buffer.alloc(length);
    readSync(fd, bytes, 0, length, at);
    return bytes;
  };
  const head = part(0, 64);
  if (head.readUInt32BE(0) !== 0x7f454c46) return null;
  const isLittle = head[5] === 1;
  const machine = isLittle ? head.readUInt16LE(18) : head.readUInt16BE(18);
  const arch = MACHINES[machine] ?? null;
  // One of another word length or byte order is of another processor; nothing more is asked of it.
  if (head[4] !== 2 || !isLittle) return { arch, needed: [], searched: [], abi: null, glibc: null };
  const count = head.readUInt16LE(56);
  const entrySize = head.readUInt16LE(54);
  if (count > HEADERS_MAX || entrySize < 56) return null;
  const table = part(Number(head.readBigUInt64LE(32)), count * entrySize);
  const segments = Array.from({ length: count }, (_, i) => ({
    type: table.readUInt32LE(i * entrySize),
    offset: Number(table.readBigUInt64LE(i * entrySize + 8)),
    address: Number(table.readBigUInt64LE(i * entrySize + 16)),
    size: Number(table.readBigUInt64LE(i * entrySize + 32)),
  }));
  const inFile = (address: number): number => {
    const segment = segments.find((one) => one.type === PT_LOAD && address >= one.address && address < one.address + one.size);
    if (segment === undefined) throw new RangeError('outside');
    return segment.offset + address - segment.address;
  };
  // A file that ends before its segments cannot be mapped.
  if (segments.some((one) => one.type === PT_LOAD && one.offset + one.size > size)) return null;
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
  if (dynamic === undefined || dynamic.size > 1024 * 1024) return null;
  const entries = part(dynamic.offset, dynamic.size);
  const tags: (readonly [bigint, number])[] = [];
  for (let at = 0; at + 16 <= entries.length; at += 16) tags.push([entries.readBigInt64LE(at), Number(entries.readBigUInt64LE(at + 8))]);
  const valueOf = (tag: bigint): number | undefined => tags.find(([one]) => one === tag)?.[1];
  const stringsSize = Math.min(valueOf(DT_STRSZ) ?? 0, STRINGS_BYTES_MAX);
  const strings = part(inFile(valueOf(DT_STRTAB) ?? -1), stringsSize);
  const text = (at: number): string => strings.toString('latin1', at, Math.max(at, strings.indexOf(0, at)));
  const all = (tag: bigint): readonly string[] => tags.filter(([one]) => one === tag).map(([, at]) => text(at));
  const names = strings.toString('latin1');
  const numbered = /\0node_register_module_v(\d{1,4})\0/.exec(names)?.[1];
  const glibc = [...names.matchAll(/\0GLIBC_2\.(\d{1,3})(?=[.\0])/g)].reduce((most, [, minor]) => Math.max(most, Number(minor)), -1);
  return {
    arch,
    needed: all(DT_NEEDED),
    searched: [...all(DT_RUNPATH), ...all(DT_RPATH)].flatMap((list) => list.split(':')),
    abi: /\0napi_register_module_v\d|\0node_api_module_get_api_version_v1\0|\0napi_module_register\0/.test(names)
      ? 'napi'
      : numbered === undefined
        ? null
        : Number(numbered),
    glibc: glibc < 0 ? null : `2.${glibc}`,
  };
}
