import { rule, type Reader } from './rule.ts';

/** Hashes and ciphers that OpenSSL 3 has put away. */
export const legacyCrypto: Reader = {
  runtime: 'openssl',
  rules: [
    rule(
      ['digital envelope routines', 'ERR_OSSL_EVP_UNSUPPORTED', 'unsupported hash type'],
      /digital envelope routines:{1,2}(?:\w{0,40}:{1,2})?(?:unsupported|initialization error)|unsupported hash type (\w{1,20})/,
      ([, algorithm = '']) => ({ kind: 'crypto_unsupported', subject: algorithm, code: 'ERR_OSSL_EVP_UNSUPPORTED' }),
    ),
  ],
};
