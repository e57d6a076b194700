import { familyForPeople } from './for-people.ts';

/** An option that this runtime does not know, or cannot make sense of. */
export const runtimeOptionInvalid = familyForPeople({
  name: 'runtime_option_invalid',
  title: 'an option of its runtime is not valid',
  kinds: ['option_invalid'],
  causeOf: (fact, c) => `the runtime of ${c.component.name} does not accept the option ${fact.subject}`,
  adviceOf: (fact) => [
    `correct ${fact.subject || 'the option'} where it is set: the command, JAVA_TOOL_OPTIONS, JDK_JAVA_OPTIONS, NODE_OPTIONS`,
    'options come and go with versions: see whether the runtime was upgraded',
  ],
});
