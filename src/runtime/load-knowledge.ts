/** What is known about failures and how to mend them: a tenth of a second to load, and most boots never need it. */
export const knowledge = () => import('./knowledge.ts');
