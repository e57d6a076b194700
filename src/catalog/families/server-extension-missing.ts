import { text } from './answer.ts';
import { familyForPeople } from './for-people.ts';

/** An extension, module or plugin that belongs into the server, and is not installed there. */
export const serverExtensionMissing = familyForPeople({
  name: 'server_extension_missing',
  title: 'the server lacks an extension',
  kinds: ['extension_missing'],
  causeOf: (fact) => `${text(fact, 'engine') || 'the server'} does not have ${fact.subject || 'an extension that is asked for'}`,
  adviceOf: (fact) => [
    `install ${fact.subject || 'it'} where the server runs, in the version of the server`,
    'or take it out of its configuration (shared_preload_libraries, loadmodule, plugin-load) or out of the migration',
  ],
});
