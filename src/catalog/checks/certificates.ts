import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { basename, dirname } from 'node:path';
import type { Check, CheckContext, Finding } from '../../domains/preflight/index.ts';
import { formatDuration } from '../../kernel/index.ts';
import { found, shownPath } from './found.ts';
import { certificateFilesOf, textOf, type ServiceFile } from './service-files.ts';

/** Who renews by itself does so a month before; two weeks before the end nobody has. */
const SOON_MS = 14 * 86_400_000;
/** A bundle of all authorities has a hundred and more, and is not what a service proves itself with. */
const CHAIN_MAX = 10;

interface Chain {
  readonly file: ServiceFile;
  readonly certificates: readonly X509Certificate[];
}

/** Certificates a service proves itself with: in date, in order, with their key, and for the name they are asked by. */
export const certificates: Check = {
  name: 'certificates',
  title: 'certificates and keys',
  timeLimitMs: 3000,
  when: 'beside_start',
  isNeeded: async (context) => (await certificateFilesOf(context)).length > 0,
  async run(context) {
    const findings: Finding[] = [];
    const chains: Chain[] = [];
    const keys: Key[] = [];
    for (const file of await certificateFilesOf(context)) {
      const content = await textOf(file.path, context);
      if (content === null) continue;
      const certificates = certificatesIn(content.text);
      if (certificates === null)
        findings.push(
          say(
            context,
            file,
            file.isNamed ? 'error' : 'warn',
            'certificate_broken',
            'holds a certificate that cannot be read',
            'copy it anew: a part of it is missing or changed',
          ),
        );
      else if (certificates.length > 0 && certificates.length <= CHAIN_MAX) chains.push({ file, certificates });
      const key = keyIn(content.text);
      if (key !== null) keys.push({ file, key });
    }
    const nowMs = context.clock.nowMs();
    for (const chain of chains) {
      const [leaf] = chain.certificates;
      if (leaf === undefined) continue;
      const pair = keyOf(chain, leaf, keys, chains);
      // One without a key is somebody else's: an authority that is trusted.
      const severity = pair !== null && chain.file.isNamed ? 'error' : 'warn';
      findings.push(...inDate(context, chain, leaf, severity, nowMs));
      if (pair !== null && !matches(leaf, pair.key))
        findings.push(
          say(
            context,
            chain.file,
            pair.isSure ? 'error' : 'warn',
            'certificate_key_mismatch',
            `does not belong to the key ${shownPath(context.projectDir, pair.file.path)}`,
            'put the certificate and the key of one request side by side',
          ),
        );
      if (pair !== null || !leaf.ca) findings.push(...inOrder(context, chain));
      if (pair !== null && chain.file.isNamed) findings.push(...forItsName(context, chain.file, leaf));
    }
    return findings;
  },
};

/** null when one of them cannot be read. */
function certificatesIn(text: string): readonly X509Certificate[] | null {
  const all: X509Certificate[] = [];
  for (let at = text.indexOf(BEGIN); at >= 0; at = text.indexOf(BEGIN, at + 1)) {
    const end = text.indexOf(END, at);
    if (end < 0) return null;
    if (all.length > CHAIN_MAX) return all;
    try {
      all.push(new X509Certificate(text.slice(at, end + END.length)));
    } catch {
      return null;
    }
  }
  return all;
}

const BEGIN = '-----BEGIN CERTIFICATE-----';
const END = '-----END CERTIFICATE-----';

/** null when there is none, or one that a passphrase protects. */
function keyIn(text: string): KeyObject | null {
  const begin = /-----BEGIN (?:[A-Z]{2,10} )?PRIVATE KEY-----/.exec(text);
  if (begin === null) return null;
  try {
    return createPrivateKey(text.slice(begin.index));
  } catch {
    return null;
  }
}

interface Key {
  readonly file: ServiceFile;
  readonly key: KeyObject;
}

/**
 * The key in the same file, one that fits, or the one that is meant by its name. Not sure to be meant unless certificate and key are
 * named alike (`--cert` and `--key`), and not meant at all where it fits another certificate. An authority that is trusted has its key elsewhere.
 */
function keyOf({ file }: Chain, leaf: X509Certificate, keys: readonly Key[], chains: readonly Chain[]): (Key & { isSure: boolean }) | null {
  const inside = keys.find((k) => k.file.path === file.path);
  if (inside !== undefined) return { ...inside, isSure: file.isNamed };
  if (isAuthority(file) || (leaf.ca && !leaf.checkIssued(leaf))) return null;
  const beside = keys.filter(
    (k) => k.file.component === file.component && ((k.file.isNamed && file.isNamed) || dirname(k.file.path) === dirname(file.path)),
  );
  const fits = ({ key }: Key, { certificates: [first] }: Chain): boolean => first !== undefined && matches(first, key);
  const named = beside.filter((k) => k.file.isNamed && file.isNamed);
  const role = roleOf(file);
  const meant = named.filter((k) => role !== null && roleOf(k.file) === role && !chains.some((c) => c.file.isNamed && fits(k, c)));
  const fitting =
    named.find(({ key }) => matches(leaf, key)) ?? (meant.length === 1 ? meant[0] : beside.find(({ key }) => matches(leaf, key)));
  if (fitting !== undefined) return { ...fitting, isSure: file.isNamed };
  const alike = beside.find((k) => stem(k.file.path) === stem(file.path) && !chains.some((c) => fits(k, c)));
  return alike === undefined ? null : { ...alike, isSure: false };
}

/** `PGSSL` of `PGSSLCERT` and `PGSSLKEY`, nothing of `--cert` and `TLS_KEY_FILE`: what is left are names of different uses. */
function roleOf({ isNamed, namedBy }: ServiceFile): string | null {
  if (!isNamed || namedBy === null) return null;
  return namedBy
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, '')
    .replace(/CERTIFICATE|CERT|CRT|PRIVATEKEY|PRIVKEY|PRIVATE|KEY|FULLCHAIN|CHAIN|FILE|PATH|PEM|HTTPS|TLS|(?<!PG)SSL/g, '');
}

/** By its own name, or by the option or variable that names it: `--ca`, `PGSSLROOTCERT`, `rootCA.pem`. */
function isAuthority({ path, namedBy }: ServiceFile): boolean {
  return [basename(path), namedBy ?? ''].some((name) =>
    /(?:^|[^A-Za-z])(?:ssl|tls|extra|client)?ca(?:$|[^A-Za-z]|certs?|file|path|bundle|chain)|root|trust|authorit|issuer|intermediate/i.test(
      name,
    ),
  );
}

/** `server` of `server.crt`, `server.key`, `server-cert.pem` and `server-key.pem`; empty for `cert.pem`, `privkey.pem` and their like. */
function stem(path: string): string {
  return basename(path)
    .replace(/\.[A-Za-z]+$/, '')
    .replace(/(?:^|[-_.])(?:cert|certificate|crt|fullchain|chain|key|privkey|private|public)\d{0,3}$/i, '')
    .toLowerCase();
}

function matches(certificate: X509Certificate, key: KeyObject): boolean {
  try {
    return certificate.checkPrivateKey(key);
  } catch {
    return false;
  }
}

function inDate(
  context: CheckContext,
  { file }: Chain,
  leaf: X509Certificate,
  severity: 'error' | 'warn',
  nowMs: number,
): readonly Finding[] {
  const [fromMs, toMs] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  if (nowMs > toMs) return [say(context, file, severity, 'certificate_expired', `expired on ${day(toMs)}`, 'renew it')];
  if (nowMs < fromMs)
    return [
      say(
        context,
        file,
        severity,
        'certificate_not_yet_valid',
        `is valid from ${day(fromMs)} on`,
        'look at the clock of this machine, and at the certificate',
      ),
    ];
  if (toMs - nowMs < SOON_MS)
    return [
      say(context, file, 'warn', 'certificate_expires_soon', `expires on ${day(toMs)}, in ${formatDuration(toMs - nowMs)}`, 'renew it'),
    ];
  return [];
}

/** Each is issued by the next: clients that are strict refuse any other order. */
function inOrder(context: CheckContext, { file, certificates: chain }: Chain): readonly Finding[] {
  const at = chain.findIndex((one, i) => i + 1 < chain.length && !one.checkIssued(chain[i + 1] as X509Certificate));
  if (at < 0) return [];
  const message = `holds a chain out of order: certificate ${at + 1} was not issued by the one after it`;
  return [
    say(context, file, 'warn', 'certificate_chain_order', message, 'the own certificate first, then the one that issued it, and so on'),
  ];
}

/** The name by which the config asks over HTTPS; this machine's own names say nothing about the one clients use. */
function forItsName(context: CheckContext, file: ServiceFile, leaf: X509Certificate): readonly Finding[] {
  const spec = context.components.find(({ name }) => name === file.component);
  const urls = [spec?.startup, spec?.readiness, spec?.liveness].flatMap((probe) =>
    probe?.target.kind === 'http' ? [probe.target.url] : [],
  );
  for (const url of urls) {
    if (!url.startsWith('https:') || !URL.canParse(url)) continue;
    const { hostname } = new URL(url);
    if (
      /^(?:localhost|127\..*|\[.*\]|0\.0\.0\.0)$/.test(hostname) ||
      (isIP(hostname) === 0 ? leaf.checkHost(hostname) : leaf.checkIP(hostname)) !== undefined
    )
      continue;
    return [
      say(
        context,
        file,
        'warn',
        'certificate_other_name',
        `is not for ${hostname}, by which its probe asks`,
        'get one for that name, or ask by another',
      ),
    ];
  }
  return [];
}

function say(context: CheckContext, file: ServiceFile, severity: 'error' | 'warn', code: string, message: string, hint: string): Finding {
  return found(context, { severity, code, component: file.component, file: file.path, message, hint });
}
