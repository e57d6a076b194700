import { expect, test } from 'vitest';
import { describeCertificate, isNamedLikeACertificate } from './certificates.ts';

const PEM = `-----BEGIN CERTIFICATE-----
MIIBpDCCAUugAwIBAgIUffz3XjLSWttvq7sQQP6uxzi2JrQwCgYIKoZIzj0EAwIw
KDEQMA4GA1UECgwHRXhhbXBsZTEUMBIGA1UEAwwLYXBpLmV4YW1wbGUwHhcNMjYx
MTI2MDUzNTE4WhcNMzYxMTIzMDUzNTE4WjAoMRAwDgYDVQQKDAdFeGFtcGxlMRQw
EgYDVQQDDAthcGkuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNyJ
9laoMQlnWz2uOEM+3qfnRK6+czLMqotxUOxK2jmO6Fmzh+bqlXU5uuMXppsufbaR
teEkUpGLQO74ks3IJnOjUzBRMB0GA1UdDgQWBBTW8nTBxyhN4tb4vDME9gqbUcQO
fDAfBgNVHSMEGDAWgBTW8nTBxyhN4tb4vDME9gqbUcQOfDAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0cAMEQCIGkINxZ5q9Ds0JSMHkQQt9vkAUH9n8efX8gN
nNdnFS8yAiBkAVN/YUJkZhCDpIBiFmiwwMxbaPGN6kJA5MHYYHLIQg==
-----END CERTIFICATE-----
`;
const TOLD =
  'O=Example, CN=api.example, issued by O=Example, CN=api.example, valid 2026-11-26T05:35Z to 2036-11-23T05:35Z, SHA-256 64:DD:57:2F:87:50:CF:BD';

test('subject, issuer, validity and fingerprint, of text and of DER', () => {
  expect(describeCertificate(Buffer.from(PEM))).toBe(TOLD);
  const der = Buffer.from(PEM.replaceAll(/-----[^-]+-----|\n/g, ''), 'base64');
  expect(describeCertificate(der)).toBe(TOLD);
});

test('a private key before it in the same file stays out of it', () => {
  const key = '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----\n';
  expect(describeCertificate(Buffer.from(key + PEM))).toBe(TOLD);
  expect(describeCertificate(Buffer.from(key))).toBeNull();
});

test('what is none, is cut off, or is too large is null and no error', () => {
  for (const content of ['', 'hello', PEM.slice(0, 200), PEM.padEnd(65 * 1024, 'x')])
    expect(describeCertificate(Buffer.from(content))).toBeNull();
});

test('is known by its name', () => {
  expect(['/a/x.pem', 'x.CRT', 'x.cer', 'x.der'].every(isNamedLikeACertificate)).toBe(true);
  expect(['/a/x.key', 'pem', 'x.p12'].some(isNamedLikeACertificate)).toBe(false);
});
