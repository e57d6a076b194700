import { after, lineAt, rule, type Reader } from './rule.ts';

/** Where the first frames of a stack are. */
const STACK_LINES = 16;

/** What programs say when data was encrypted or signed with another secret than they have now. */
export const secrets: Reader = {
  runtime: 'unknown',
  rules: [
    rule(
      ['ecrypt', 'nvalidToken', 'essageEncryptor', 'adPadding', 'MAC is invalid', 'unable to authenticate data'],
      /(?:[Ff]ailed to|[Cc]ould not|[Cc]annot|[Cc]an't|[Uu]nable to) decrypt(?: (?:the )?([\w .-]{1,60}))?|([\w -]{1,40}?) (?:could not|cannot|can't) be decrypted|[Bb]ad decrypt\b|BadPaddingException|cryptography\.fernet\.InvalidToken|MessageEncryptor::InvalidMessage|DecryptException: The (?:MAC|payload) is invalid|unable to authenticate data|[Dd]ecryption failed/,
      ([, what, subject], place) =>
        // A key store says so of its password, and Rails of the key to its settings: their own readers know better.
        lineAt(place, 0).includes('safe contents entry') || after(place, STACK_LINES, /encrypted_(?:file|configuration)\.rb/) !== null
          ? null
          : { kind: 'secret_mismatch', subject: (what ?? subject ?? '').trim().toLowerCase(), code: 'decrypt' },
    ),
  ],
};
