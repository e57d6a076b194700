import { lineAt, rule, type Reader } from './rule.ts';

/** Options and arguments that a program does not know, in the words of the parsers that read them. */
export const commandLine: Reader = {
  runtime: 'unknown',
  rules: [
    // commander, Rust's clap, Node's parseArgs, Go's flag, getopt, argparse
    rule(
      [
        'unknown option',
        'Unknown option',
        'unrecognized option',
        'nrecognized arguments',
        'no such option',
        'No such option',
        'unexpected argument ',
        'flag provided but not defined',
        'unknown flag',
        'invalid option',
      ],
      /(?:^|[:\]] |error: )(?:[Uu]nknown option:?|unrecognized option:?|[Nn]o such option:?|unexpected argument|flag provided but not defined:|unknown (?:shorthand )?flag:|invalid option(?: --)?|unrecognized arguments:) ["'`‘]?(--?[\w][\w.-]{0,80})/,
      ([, option = '']) => unknown(option),
    ),
    // yargs
    rule(['Unknown argument'], /^(?:Error: )?Unknown arguments?: ([\w.-]{1,80})/, ([, name = '']) =>
      unknown(name.startsWith('-') ? name : `--${name}`),
    ),
    rule(['ERR_PARSE_ARGS_UNKNOWN_OPTION'], /ERR_PARSE_ARGS_UNKNOWN_OPTION/, (_, place) => (/code: '/.test(lineAt(place, 0)) ? [] : null)),
  ],
};

function unknown(option: string) {
  return { kind: 'unknown_option', subject: option, code: 'unknown_option' } as const;
}
