import { text } from './answer.ts';
import { familyForPeople } from './for-people.ts';

/** A client that insists on TLS and a server without it, or the other way round. Neither is switched off. */
export const encryptionMismatch = familyForPeople({
  name: 'encryption_mismatch',
  title: 'one side wants encryption, the other has none',
  kinds: ['encryption_mismatch'],
  causeOf: (fact, c) =>
    text(fact, 'wants') === 'encrypted'
      ? `${text(fact, 'engine') || 'the server'} wants an encrypted connection, and ${c.component.name} does not ask for one`
      : `${c.component.name} wants an encrypted connection, and ${text(fact, 'engine') || 'the server'} offers none`,
  adviceOf: () => [
    'make both sides agree: sslmode, requireSSL or tls in the address of the service, and a certificate on the server',
    'do not switch encryption off to get it running',
  ],
});
