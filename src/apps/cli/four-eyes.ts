/** What a person does who waits for another, and what one does who is the only one. */

/** Nobody is locked in: either the rule goes, or a second person comes. */
export const NOBODY_ELSE =
  'where there is nobody else: grace policy test tells which rule asks for it, and a policy of yours lifts it where it may be lifted; ' +
  'any other wants a second user of this machine';

/**
 * @param approval   its id
 * @param isTakenUp  a Grace runs, and does it when they have agreed
 */
export function anotherPerson(approval: string, isTakenUp = false): readonly string[] {
  const then = isTakenUp ? '; the Grace that runs then does it by itself' : ', then run this again';
  return [`  another person: grace approvals approve ${approval}${then}`, `  ${NOBODY_ELSE}`];
}
