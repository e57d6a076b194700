const BEYOND =
  /\b(?:deploy|publish|push|upload|migrate?|migrations?|seed|drop|reset|release|docker|kubectl|helm|terraform|ssh|scp|rsync|sudo|curl|wget|git)\b/;

/** Whether a script of a project reaches beyond the project, whatever it is called: such a script is for people. */
export function reachesOut(script: string): boolean {
  return BEYOND.test(script);
}
