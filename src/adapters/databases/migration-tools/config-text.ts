/** The string literal that follows; configs are read as text, since running them would be running the service's code. */
export function stringAfter(text: string, before: RegExp): string | null {
  return new RegExp(`${before.source}\\s*['"\`]([^'"\`$\\n]{1,200})['"\`]`).exec(text)?.[1] ?? null;
}
