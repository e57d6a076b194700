import { X509Certificate } from 'node:crypto';
import { extname } from 'node:path';

const NAMES = new Set(['.pem', '.crt', '.cer', '.der', '.cert']);
/** A chain of certificates is a few kilobytes; a bundle of all authorities is not what a service proves itself with. */
export const CERTIFICATE_BYTES_MAX = 64 * 1024;
const TEXT_CHARS_MAX = 200;

export function isNamedLikeACertificate(path: string): boolean {
  return NAMES.has(extname(path).toLowerCase());
}

/**
 * `CN=api.example, issued by CN=Example CA, valid 2026-01-01 to 2027-01-01, SHA-256 AB:CD:…` of the first certificate in a
 * file; null when there is none. Private keys in the same file are not looked at.
 */
export function describeCertificate(content: Uint8Array): string | null {
  if (content.length > CERTIFICATE_BYTES_MAX) return null;
  const text = Buffer.from(content).toString('latin1');
  const begin = text.indexOf('-----BEGIN CERTIFICATE-----');
  const end = text.indexOf('-----END CERTIFICATE-----', begin);
  if (begin < 0 && text.includes('-----BEGIN')) return null;
  try {
    const certificate = new X509Certificate(begin < 0 ? Buffer.from(content) : text.slice(begin, end + '-----END CERTIFICATE-----'.length));
    const day = (date: string): string => new Date(date).toISOString().slice(0, 16).concat('Z');
    const line = (name: string): string => name.replaceAll(/\s*\n\s*/g, ', ').slice(0, TEXT_CHARS_MAX);
    return `${line(certificate.subject)}, issued by ${line(certificate.issuer)}, valid ${day(certificate.validFrom)} to ${day(certificate.validTo)}, SHA-256 ${certificate.fingerprint256.slice(0, 23)}`;
  } catch {
    return null; // named like one and is none
  }
}
