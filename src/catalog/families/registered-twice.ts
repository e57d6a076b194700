import { mistakeInCode } from './mistake-in-code.ts';

/** A route, a decorator or a model under a name that is taken. */
export const registeredTwice = mistakeInCode({
  name: 'registered_twice',
  title: 'something is registered twice',
  kind: 'registered_twice',
  causeOf: (fact) => `${fact.subject || 'something'} is registered twice`,
  adviceOf: (fact) => [`register ${fact.subject || 'it'} once, or under another name`, 'see whether a plugin or a file is loaded twice'],
});
