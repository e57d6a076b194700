import { isSecretName } from '../../domains/incidents/index.ts';

/** Names that say secret, and whose value is about one: where it lies, how long it holds, what it is called. */
const ABOUT_A_SECRET =
  /(?:^|_)(?:PUBLIC|FILE|PATH|DIR|URL|URI|HOST|ENDPOINT|NAME|ID|HEADER|PREFIX|TTL|AGE|MAXAGE|EXPIRY|EXPIRES|EXPIRES_IN|EXPIRATION|LIFETIME|TIMEOUT|LENGTH|MIN|MAX|ROUNDS|ALG|ALGORITHM|ISSUER|AUDIENCE|SCOPE|TYPE|ENABLED|REQUIRED|DISABLED|POLICY|FIELD|LIMIT|LIMITS|METHOD|MODE|DOMAIN|SECURE|SAMESITE|COUNT)(?:_|$)/i;
/** These say more than a secret of their own: a DSN or a webhook is an address, a cookie a name. */
const AN_ADDRESS = /(?:^|[_.-])(?:dsn|webhook|cookie|auth)(?:$|[_.-])/i;

/** What programs sign or encrypt with: guessing it opens everything, without a server that slows the guesses. */
const KEY_NAME = /(?:secret|signing|encryption|private|session)[_-]?(?:key|base)?$|jwt|hmac/i;

/** What stands in examples, tutorials and images, in small letters. */
const DEFAULTS = new Set([
  'admin', 'administrator', 'root', 'toor', 'guest', 'test', 'testing', 'demo', 'default', 'user', 'pass', 'password', 'passwd', 'pwd',
  'password1', 'password12', 'password123', 'passw0rd', 'p@ssw0rd', 'p@ssword', 'secret', 'secret123', 'mysecret', 'supersecret', 'super-secret',
  'topsecret', 'token', 'key', 'apikey', 'api-key', 'changeme', 'change-me', 'change_me', 'changethis', 'changeit', 'letmein', 'welcome', 'qwerty',
  'abc123', 'abcdef', '123', '1234', '12345', '123456', '1234567', '12345678', '123456789', '1234567890', '0000', '00000000', '1111', '11111111',
  'postgres', 'mysql', 'mongo', 'redis', 'rabbitmq', 'minio', 'minioadmin', 'example', 'sample', 'dummy', 'foo', 'bar', 'foobar', 'none', 'null',
  'undefined', 'todo', 'tbd', 'fixme', 'keyboard cat', 'keyboardcat', 'shhhhh', 'sekret', 's3cr3t', 's3cret', 'hunter2', 'insecure', 'development', 'dev',
  'your-256-bit-secret', 'secretkey', 'secret-key', 'secret_key', 'my-secret', 'my_secret', 'placeholder',
]); // prettier-ignore

const PLACEHOLDER =
  /^(?:<.{0,80}>|\[.{0,80}\]|\.{3,}|\*{3,}|x{3,}|(?:change|replace|insert|put|enter|add|fill|set)[-_ ]?(?:me|this|it|with|your|here|in|a)\b.{0,80}|(?:your|my)[-_ ].{0,80}|.{0,80}[-_ ](?:here|placeholder|changeme|change[-_]me)|example[-_ ].{0,80}|sk[-_](?:x{4,}|\.{3}|your).{0,80})$/i;

/** A value that is public knowledge, or only shows where the real one goes. */
export function isDefaultSecret(value: string): boolean {
  const plain = value.trim();
  return plain !== '' && plain.length <= 100 && (DEFAULTS.has(plain.toLowerCase()) || PLACEHOLDER.test(plain));
}

/** Shorter ones can be tried out against a copy of what they sign. */
const KEY_CHARS_MIN = 16;
const PASSWORD_CHARS_MIN = 8;
/** Of a signing key: bits by the share of its characters, which says at most what a guesser has to do. */
const KEY_BITS_MIN = 40;

/**
 * Why a value is too weak for its name; null when it is not, or when the name does not say that it is a secret. The answer never
 * holds the value.
 */
export function weaknessOf(name: string, value: string): string | null {
  if (!isSecretName(name) || AN_ADDRESS.test(name) || ABOUT_A_SECRET.test(name)) return null;
  const plain = value.trim();
  // a reference is no value, an empty one no secret: somebody may mean both
  if (plain === '' || /^(?:true|false|yes|no|on|off|\d{1,2})$/i.test(plain) || isReference(plain)) return null;
  if (isDefaultSecret(plain)) return 'is a placeholder or a default that everybody knows';
  if (KEY_NAME.test(name)) {
    if (plain.length < KEY_CHARS_MIN) return `has ${plain.length} characters; what signs or encrypts should have ${KEY_CHARS_MIN} or more`;
    if (bitsOf(plain) < KEY_BITS_MIN) return 'repeats a few characters, and can be guessed';
  } else if (/pass(?:wd|word|phrase)?$|pwd$/i.test(name) && plain.length < PASSWORD_CHARS_MIN)
    return `has ${plain.length} characters; a password should have ${PASSWORD_CHARS_MIN} or more`;
  return null;
}

/** The value stands somewhere else: `$NAME`, `{{ name }}`, `vault:…`, a file. */
function isReference(value: string): boolean {
  return /^(?:\$|\{\{|%\{|<%|vault:|secret:|ref\+|op:\/\/|arn:|file:|\/(?:run|var|etc)\/)/.test(value);
}

/** Shannon's measure over the characters of the text, times its length. */
function bitsOf(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= count * Math.log2(count / text.length);
  return bits;
}
