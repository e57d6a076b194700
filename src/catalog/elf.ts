/** What an executable file, or a shared object, says of itself. */
export interface ElfHeader {
  /** `e_machine`: 62 is x86-64, 183 is AArch64. */
  readonly machine: number;
  readonly is64: boolean;
  readonly isLittleEndian: boolean;
  /** null when it is of the other byte order, or cut off before its segments are told. */
  readonly image: ElfImage | null;
}

/** What the loader makes of the file. Names are as written, one character a byte: they may be anything. */
interface ElfImage {
  /** The program that loads it; null when it is linked statically, and for most shared objects. */
  readonly interpreter: string | null;
  /** Up to where it says that something is: a shorter file was cut off. */
  readonly sizeBytesMin: number;
  /** null when it is linked statically, or does not say to what. */
  readonly linking: ElfLinking | null;
}

interface ElfLinking {
  /** Shared libraries that it names. */
  readonly needed: readonly string[];
  /** Where it has them looked for: RPATH and RUNPATH, each with colons between its paths. */
  readonly searchPaths: readonly string[];
  /** All names at once, each between two NUL bytes: of libraries, of symbols and of their versions. */
  readonly names: string;
}

/** Reads a part of the file; shorter at its end. */
export type ReadPart = (offset: number, lengthBytes: number) => Promise<Uint8Array | null>;

const SEGMENTS_MAX = 200;
const DYNAMIC_BYTES_MAX = 64 * 1024;

const LOAD = 1;
const DYNAMIC = 2;
const INTERPRETER = 3;
const DT_NEEDED = 1;
const DT_STRTAB = 5;
const DT_STRSZ = 10;
const DT_RPATH = 15;
const DT_RUNPATH = 29;

/**
 * Reads the header and the dynamic section, and loads nothing of the file.
 * @param namesBytesMax   how much of its names is read: those of symbols of large modules are a few MiB
 * @returns null when it is no ELF file, or ends within its header
 * @see System V ABI, chapters 4 and 5 (ELF header, program header, dynamic section)
 */
export async function readElf(read: ReadPart, namesBytesMax: number): Promise<ElfHeader | null> {
  const head = await part(read, 0, 64);
  if (head === null || head.byteLength < 52 || head.getUint32(0) !== 0x7f454c46) return null;
  const is64 = head.getUint8(4) === 2;
  if (is64 && head.byteLength < 64) return null;
  const isLittleEndian = head.getUint8(5) === 1;
  const machine = head.getUint16(18, isLittleEndian);
  return { machine, is64, isLittleEndian, image: isLittleEndian ? await imageOf(read, head, is64, namesBytesMax) : null };
}

async function imageOf(read: ReadPart, head: DataView, is64: boolean, namesBytesMax: number): Promise<ElfImage | null> {
  const word = (view: DataView, at: number): number => (is64 ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true));
  const size = head.getUint16(is64 ? 54 : 42, true);
  const named = head.getUint16(is64 ? 56 : 44, true);
  const count = Math.min(named, SEGMENTS_MAX);
  const tableAt = word(head, is64 ? 32 : 28);
  const table = await part(read, tableAt, size * count);
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
  const loader = segments.find(({ type }) => type === INTERPRETER);
  const interpreter = loader === undefined ? null : upToNul(await part(read, loader.offset, Math.min(loader.sizeBytes, 4096)));
  const ends = segments.filter(({ type }) => type === LOAD || type === DYNAMIC).map(({ offset, sizeBytes }) => offset + sizeBytes);
  const none = { interpreter, sizeBytesMin: Math.max(tableAt + size * named, ...ends), linking: null };

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
  const valueOf = (tag: number): number | undefined => entries.find(([one]) => one === tag)?.[1];
  const address = valueOf(DT_STRTAB);
  const holder = segments.find(
    (s) => s.type === LOAD && address !== undefined && address >= s.address && address < s.address + s.sizeBytes,
  );
  if (address === undefined || holder === undefined) return none;
  const namesAt = holder.offset + address - holder.address;
  const namesBytes = Math.min(valueOf(DT_STRSZ) ?? namesBytesMax, namesBytesMax);
  const strings = await part(read, namesAt, namesBytes);
  if (strings === null) return none;
  const names = latin1(strings);
  const texts = (...tags: readonly number[]): readonly string[] =>
    entries.filter(([tag]) => tags.includes(tag)).map(([, at]) => names.slice(at, Math.max(at, names.indexOf('\0', at))));
  return {
    interpreter,
    sizeBytesMin: Math.max(none.sizeBytesMin, namesAt + namesBytes),
    linking: { needed: texts(DT_NEEDED), searchPaths: texts(DT_RPATH, DT_RUNPATH), names },
  };
}

async function part(read: ReadPart, offset: number, lengthBytes: number): Promise<DataView | null> {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(lengthBytes)) return null;
  const bytes = await read(offset, lengthBytes);
  return bytes === null ? null : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function upToNul(view: DataView | null): string {
  return view === null ? '' : (latin1(view).split('\0', 1)[0] ?? '');
}

function latin1(view: DataView): string {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('latin1');
}
