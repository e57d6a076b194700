import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { readElf } from '../../catalog/elf.ts';

/** What a native module says of itself. */
export interface NativeHeader {
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
/** Names of symbols of large modules are a few MiB. */
const NAMES_BYTES_MAX = 32 * 1024 * 1024;

/**
 * Reads the header of a native module and its dynamic section, and loads nothing of it.
 * @returns null for what is no ELF file of 64 bits, or is cut off
 */
export async function nativeHeader(file: string): Promise<NativeHeader | null> {
  let fd: number | null = null;
  try {
    fd = openSync(file, 'r');
    return await read(fd);
  } catch {
    return null;
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

async function read(fd: number): Promise<NativeHeader | null> {
  const { size } = fstatSync(fd);
  const elf = await readElf(async (at, length) => {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - at)));
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, at));
  }, NAMES_BYTES_MAX);
  if (elf === null) return null;
  const arch = MACHINES[elf.machine] ?? null;
  // One of another word length or byte order is of another processor; nothing more is asked of it.
  if (!elf.is64 || !elf.isLittleEndian) return { arch, needed: [], searched: [], abi: null, glibc: null };
  // A file that ends before its segments cannot be mapped.
  if (elf.image === null || elf.image.linking === null || elf.image.sizeBytesMin > size) return null;
  const { needed, searchPaths, names } = elf.image.linking;
  const numbered = /\0node_register_module_v(\d{1,4})\0/.exec(names)?.[1];
  const glibc = [...names.matchAll(/\0GLIBC_2\.(\d{1,3})(?=[.\0])/g)].reduce((most, [, minor]) => Math.max(most, Number(minor)), -1);
  return {
    arch,
    needed,
    searched: searchPaths.flatMap((list) => list.split(':')),
    abi: /\0napi_register_module_v\d|\0node_api_module_get_api_version_v1\0|\0napi_module_register\0/.test(names)
      ? 'napi'
      : numbered === undefined
        ? null
        : Number(numbered),
    glibc: glibc < 0 ? null : `2.${glibc}`,
  };
}
