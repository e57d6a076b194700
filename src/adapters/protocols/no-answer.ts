import type { ServerFailure } from '../../domains/preflight/index.ts';
import { codeOf } from '../../kernel/index.ts';

/** Ends a conversation: why the server cannot be used. An outcome, returned as such by `ask-server.ts`. */
export class NoAnswer extends Error {
  readonly failure: ServerFailure;

  constructor(failure: ServerFailure, problem: string) {
    super(problem);
    this.failure = failure;
  }
}

const BY_CODE: Readonly<Record<string, readonly [ServerFailure, string]>> = {
  ECONNREFUSED: ['refused', 'the connection was refused: nothing listens there'],
  ENOENT: ['refused', 'its socket is not there'],
  EACCES: ['refused', 'its socket may not be used by this user'],
  ENOTFOUND: ['unknown_host', 'its host name is not known'],
  EAI_AGAIN: ['unknown_host', 'its host name could not be looked up: the name server does not answer'],
  EHOSTUNREACH: ['no_route', 'there is no route to it'],
  ENETUNREACH: ['no_route', 'there is no route to its network'],
  EADDRNOTAVAIL: ['no_route', 'there is no route to its address from here'],
  ETIMEDOUT: ['timeout', 'the connection got no answer'],
  ECONNRESET: ['closed', 'it closed the connection'],
  EPIPE: ['closed', 'it closed the connection'],
  CERT_HAS_EXPIRED: ['certificate_expired', 'its certificate has expired'],
  CERT_NOT_YET_VALID: ['certificate_expired', 'its certificate is not valid yet'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['certificate_other_name', 'its certificate is for another name'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['certificate_not_trusted', 'its certificate is self-signed'],
  SELF_SIGNED_CERT_IN_CHAIN: ['certificate_not_trusted', 'its certificate comes from an authority that is not trusted'],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['certificate_not_trusted', 'its certificate comes from an authority that is not trusted'],
  UNABLE_TO_GET_ISSUER_CERT: ['certificate_not_trusted', 'its certificate comes from an authority that is not known'],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['certificate_not_trusted', 'its certificate comes from an authority that is not known'],
  ERR_SSL_WRONG_VERSION_NUMBER: ['other_protocol', 'it does not speak TLS'],
  ERR_SSL_PACKET_LENGTH_TOO_LONG: ['other_protocol', 'it does not speak TLS'],
};

/** What an error of a socket means. */
export function noAnswer(error: unknown): NoAnswer {
  if (error instanceof NoAnswer) return error;
  // A name with several addresses fails once for each; the last says as much as the others.
  const inner = error instanceof AggregateError ? error.errors.at(-1) : error;
  const code = codeOf(inner) ?? '';
  const known = BY_CODE[code];
  if (known !== undefined) return new NoAnswer(...known);
  if (/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE/.test(code))
    return new NoAnswer('encryption', 'it refused the encryption: does it want a certificate of the client?');
  if (/SSL|TLS|EPROTO|CERT|CRL/.test(code)) return new NoAnswer('encryption', `the encryption failed (${shortCode(code)})`);
  return new NoAnswer('closed', `the connection failed (${shortCode(code) || 'no code'})`);
}

/** Codes are ours or OpenSSL's; still nothing but their own letters. */
function shortCode(code: string): string {
  return code.replaceAll(/[^A-Z0-9_]/g, '').slice(0, 60);
}
