import { lineAt, named, rule, type Draft, type Reader } from './rule.ts';

/** Libraries that were given no key or secret, and do not say which setting it should have come from. */
export const libraryCredentials: Reader = {
  runtime: 'node',
  rules: [
    rule(['requires a secret or key'], /(\w{1,40}Strategy) requires a secret or key/, ([, name = '']) => missing(name)),
    rule(
      ['secretOrPrivateKey must have a value', 'secretOrPublicKey must have a value'],
      /secretOr(?:Private|Public)Key must have a value/,
      () => missing('jsonwebtoken'),
    ),
    rule(['secret option required for sessions'], /secret option required for sessions/, () => missing('express-session')),
    rule(['Neither apiKey nor config.authenticator provided'], /Neither apiKey nor config\.authenticator provided/, () =>
      missing('stripe'),
    ),
    rule(['Missing credentials. Please pass'], /(\w{1,40})Error: Missing credentials\. Please pass/, ([, name = ''], place) =>
      missing(name, [...lineAt(place, 0).matchAll(/`([A-Z][A-Z0-9_]{3,60})`/g)].map((found) => found[1] ?? '').slice(0, 5)),
    ),
    // Redaction takes the word behind `CredentialsProviderError:` for a value.
    rule(['load credentials from any providers'], /load credentials from any providers/, () =>
      missing('the AWS SDK', ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']),
    ),
    rule(['Could not load the default credentials'], /Could not load the default credentials/, () =>
      missing('the Google SDK', ['GOOGLE_APPLICATION_CREDENTIALS']),
    ),
  ],
};

function missing(subject: string, names: readonly string[] = []): Draft {
  return { kind: 'credentials_missing', subject, code: 'credentials_missing', details: named({ names: names.join(', ') }) };
}
