import { rule, type Reader } from './rule.ts';

/** What OpenSSL, Node, Go, Python, Java and nginx say about certificates and keys, on either side of a connection. */
export const certificates: Reader = {
  runtime: 'openssl',
  rules: [
    rule(
      [
        'cannot load certificate',
        'Could not find certificate',
        'could not load server certificate file',
        'could not load private key file',
        'Failed to load certificate',
        'failed to load certificate',
        'cannot load certificate key',
      ],
      /(?:cannot load|[Cc]ould not find|could not load|[Ff]ailed to load) (?:server )?(?:certificate|private key)(?: key)?(?: file)?(?: from)?:? ["']?([^\s"':,]{1,300})/,
      ([, path = ''], place) => {
        const text = place.lines[place.at]?.text ?? '';
        if (text.includes('Permission denied')) return { kind: 'permission_denied', subject: path, code: 'EACCES' };
        const isMissing = /No such file|no such file|not find/.test(text);
        return {
          kind: 'certificate_problem',
          subject: path,
          code: isMissing ? 'ENOENT' : 'PEM',
          details: { reason: isMissing ? 'missing' : 'unreadable' },
        };
      },
    ),
    rule(['private key file "'], /private key file "([^"]{1,300})" (?:has group or world access|must be owned by)/, ([, path = '']) => ({
      kind: 'permission_denied',
      subject: path,
      code: 'wrong_mode',
      details: { reason: 'mode' },
    })),
    rule(
      ['key values mismatch', 'KEY_VALUES_MISMATCH', 'private key does not match public key'],
      /key values mismatch|KEY_VALUES_MISMATCH|private key does not match public key/,
      (_, place) => ({
        kind: 'certificate_problem',
        subject: /SSL_CTX_use_PrivateKey(?:_file)?\("([^"]{1,300})"\)/.exec(place.lines[place.at]?.text ?? '')?.[1] ?? '',
        code: 'KEY_VALUES_MISMATCH',
        details: { reason: 'mismatch' },
      }),
    ),
    rule(
      ['certificate has expired', 'CERT_HAS_EXPIRED', 'NotAfter: '],
      /certificate has expired|CERT_HAS_EXPIRED|CertificateExpiredException/,
      () => ({ kind: 'certificate_problem', code: 'CERT_HAS_EXPIRED', details: { reason: 'expired' } }),
    ),
    rule(
      [
        'eystore password was incorrect',
        'Keystore was tampered with',
        'keystore password',
        'Invalid keystore format',
        'mac verify failure',
      ],
      /[Kk]eystore (?:password was incorrect|was tampered with, or password was incorrect)|Invalid keystore format|mac verify failure/,
      ([text]) => ({
        kind: 'certificate_problem',
        code: text.startsWith('Invalid') ? 'keystore_format' : 'keystore_password',
        details: { reason: text.startsWith('Invalid') ? 'unreadable' : 'password' },
        runtime: 'java',
      }),
    ),
    rule(
      ["does not match certificate's altnames", 'ERR_TLS_CERT_ALTNAME_INVALID'],
      /Host: ([\w.-]{1,253}?)\.? is not (?:in the cert|cert)/,
      ([, host = '']) => ({
        kind: 'certificate_problem',
        subject: host,
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
        details: { reason: 'mismatch' },
      }),
    ),
    rule(
      [
        'x509: certificate is valid for',
        'Hostname mismatch, certificate is not valid for',
        "doesn't match any of the subject alternative names",
        'No subject alternative',
      ],
      /certificate is valid for .{1,300}, not ([\w.-]{1,253})|certificate is not valid for '([^']{1,253})'|No subject alternative|alternative names/,
      ([, go = '', python = '']) => ({
        kind: 'certificate_problem',
        subject: go || python,
        code: 'hostname',
        details: { reason: 'mismatch' },
      }),
    ),
    rule(
      [
        'self-signed certificate',
        'self signed certificate',
        'unable to verify the first certificate',
        'unable to get local issuer certificate',
        'unable to get issuer certificate',
        'certificate signed by unknown authority',
        'PKIX path building failed',
        'DEPTH_ZERO_SELF_SIGNED_CERT',
        'SELF_SIGNED_CERT_IN_CHAIN',
        'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
        'UNABLE_TO_GET_ISSUER_CERT',
      ],
      /self[- ]signed certificate|unable to (?:verify the first|get (?:local )?issuer) certificate|signed by unknown authority|PKIX path building failed|(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT\w{0,10})/,
      ([text], place) => {
        const host = /host='([\w.-]{1,253})'|https:\/\/([\w.-]{1,253})/.exec(place.lines[place.at]?.text ?? '');
        return {
          kind: 'certificate_problem',
          subject: host?.[1] ?? host?.[2] ?? '',
          code: /self/i.test(text) ? 'SELF_SIGNED' : 'UNKNOWN_ISSUER',
          details: { reason: 'untrusted' },
        };
      },
    ),
    rule(
      ['PEM routines', 'PEM lib', 'no start line', 'bad end line', 'ASN1_CHECK_TLEN', 'bad decrypt', 'ERR_OSSL_'],
      /PEM routines:{1,2}\w{0,40}:{0,2}(?:no start line|bad end line|bad base64)|\[SSL\] PEM lib|no start line|bad end line|wrong tag|bad decrypt/i,
      ([text]) => ({ kind: 'certificate_problem', code: /decrypt/i.test(text) ? 'BAD_DECRYPT' : 'PEM', details: { reason: 'unreadable' } }),
    ),
    rule(
      ['tls: failed to find any PEM data', 'tls: private key does not match'],
      /tls: (failed to find any PEM data|private key does not match)/,
      ([, what]) => ({
        kind: 'certificate_problem',
        code: 'PEM',
        details: { reason: what?.startsWith('private') ? 'mismatch' : 'unreadable' },
      }),
    ),
  ],
};
