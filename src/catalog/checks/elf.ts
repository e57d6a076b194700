/** What an executable file says of the machine it is made for. */
export interface ElfHeader {
  /** `e_machine`: 62 is x86-64, 183 is AArch64. */
  readonly machine: number;
  readonly is64: boolean;
  /** The program that loads it; null when it is linked statically. */
  readonly interpreter: string | null;
  /** Shared libraries that it names. */
  readonly needed: readonly string[];
  /** Where it has them looked for: RPATH and RUNPATH. */
  readonly searchPaths: readonly string[];
}

/** Reads a part of the file; shorter at its end. */
export type ReadPart = (offset: number, lengthBytes: number) => Promise<Uint8Array | null>;

const SEGMENTS_MAX = 200;
const DYNAMIC_BYTES_MAX = 64 * 1024;
const STRINGS_BYTES_MAX = 1024 * 1024;
const LIBRARIES_MAX = 200;

const LOAD = 1;
const DYNAMIC = 2;
const INTERPRETER = 3;
const DT_NEEDED = 1;
const DT_STRTAB = 5;
const DT_RPATH = 15;
const DT_RUNPATH = 29;

/**
 * @returns null when it is no ELF file, or one that cannot be read: of a strange byte order, or cut off
 * @see System V ABI, chapters 4 and 5 (ELF header, program header, dynamic section)
 */
export async function readElf(read: ReadPart): Promise<ElfHeader | null> {
  const head = await part(read, 0, 64);
  if (head === null || head.byteLength < 52 || head.getUint32(0) !== 0x7f454c46 || head.getUint8(5) !== 1) return null;
  const is64 = head.getUint8(4) === 2;
  if (is64 && head.byteLength < 64) return null;
  const machine = head.getUint16(18, true);
  const word = (view: DataView, at: number): number => (is64 ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true));
  const size = head.getUint16(is64 ? 54 : 42, true);
  const count = Math.min(head.getUint16(is64 ? 56 : 44, true), SEGMENTS_MAX);
  const table = await part(read, word(head, is64 ? 32 : 28), size * count);
  if (table === null || size < (is64 ? 56 : 32) || table.byteLength < size * count) return null;
  const segments = Array.from({ length: count }, (_, n) => {
    const at = n * size;
    return {
      type: table.getUint32(at, true),
      offset: word(table, at + (is64 ? 8 : 4)),
      address: word(table, at + (is64 ? 16 : 8)),
      sizeBytes: word(table, at + (is64 ? 32 : 16)),
    };
  });
  const named = segments.find(({ type }) => type === INTERPRETER);
  const interpreter = named === undefined ? null : textAt(await part(read, named.offset, Math.min(named.sizeBytes, 4096)), 0);
  const none = { machine, is64, interpreter, needed: [], searchPaths: [] };

  const section = segments.find(({ type }) => type === DYNAMIC);
  const dynamic = section === undefined ? null : await part(read, section.offset, Math.min(section.sizeBytes, DYNAMIC_BYTES_MAX));
  if (dynamic === null) return none;
  const entries: (readonly [tag: number, value: number])[] = [];
  const step = is64 ? 16 : 8;
  for (let at = 0; at + step <= dynamic.byteLength; at += step) {
    const tag = word(dynamic, at);
    if (tag === 0) break;
    entries.push([tag, word(dynamic, at + step / 2)]);
  }
  const address = entries.find(([tag]) => tag === DT_STRTAB)?.[1];
  const holder = segments.find(
    (s) => s.type === LOAD && address !== undefined && address >= s.address && address < s.address + s.sizeBytes,
  );
  if (address === undefined || holder === undefined) return none;
  const strings = await part(read, holder.offset + address - holder.address, STRINGS_BYTES_MAX);
  const texts = (...tags: readonly number[]): readonly string[] =>
    entries
      .filter(([tag]) => tags.includes(tag))
      .slice(0, LIBRARIES_MAX)
      .flatMap(([, at]) => textAt(strings, at) ?? []);
  return { ...none, needed: texts(DT_NEEDED), searchPaths: texts(DT_RPATH, DT_RUNPATH).flatMap((paths) => paths.split(':')) };
}

async function part(read: ReadPart, offset: number, lengthBytes: number): Promise<DataView | null> {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(lengthBytes)) return null;
  const bytes = await read(offset, lengthBytes);
  return bytes === null ? null : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Up to the NUL byte; null beyond the end, or for what is no name. */
function textAt(view: DataView | null, at: number): string | null {
  if (view === null || at >= view.byteLength) return null;
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, Math.min(view.byteLength - at, 1000));
  const end = bytes.indexOf(0);
  const text = new TextDecoder().decode(bytes.subarray(0, end < 0 ? undefined : end));
  return /^[\w./+$@{}:~ -]+$/.test(text) ? text : null;
}
