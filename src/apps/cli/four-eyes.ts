/** What a person does who waits for another, and what one does who is the only one. */

/** Nobody is locked in: either the rule goes, or a second person comes. */
export const NOBODY_ELSE =
  'where there is nobody else: grace policy test tells which rule asks for it, and a policy of yours lifts it where it may be lifted; ' +
  'any other wants a second user of this machine';

/** @param approval  its id */
export function anotherPerson(approval: string): readonly string[] {
  return [`  another person: grace approvals approve ${approval}, then run this again`, `  ${NOBODY_ELSE}`];
}
