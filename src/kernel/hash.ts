import { createHash, hash } from 'node:crypto';

/** SHA-256 as 64 hex digits. */
export function sha256Hex(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex');
}

/** SHA-256 as its 32 bytes. */
export function sha256(data: Uint8Array): Uint8Array {
  return hash('sha256', data, 'buffer');
}

/** SHA-256 of what is added piece by piece: of contents that are not held in memory at once. */
export function createDigest(): { add(piece: Uint8Array): void; hex(): string } {
  const digest = createHash('sha256');
  return { add: (piece) => void digest.update(piece), hex: () => digest.digest('hex') };
}
