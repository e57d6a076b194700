/** A reason not to start that a person can act on: it is printed line by line, without a stack. */
export class StartupError extends Error {
  readonly lines: readonly string[];

  constructor(...lines: readonly string[]) {
    super(lines.join('\n'));
    this.name = 'StartupError';
    this.lines = lines;
  }
}

/**
 * Runs a command's main part. A StartupError ends the process with exit code 1 and its lines on stderr;
 * anything else is a mistake in the program and crashes it with its stack.
 */
export async function startOrExplain(main: () => Promise<void> | void): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    for (const line of error.lines) console.error(`Error: ${line}`);
    process.exit(1);
  }
}
