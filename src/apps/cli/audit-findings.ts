import type { Finding, FindingKind } from '../../domains/audit/index.ts';
import { paint } from './terminal.ts';

export interface WrongLog {
  readonly findings: readonly Finding[];
  readonly findingsMore: number;
  /** In the order they were checked in. */
  readonly anchors: readonly { readonly file: string }[];
  /** Which log, and where it is. */
  readonly where: string;
  readonly isExported: boolean;
  /** The key to check with came from elsewhere than the log. */
  readonly isGiven: boolean;
}

/** What somebody did to the entries comes first, since the rest follows from it; unlisted kinds stand last. */
const FIRST: readonly FindingKind[] = [
  'changed',
  'removed',
  'inserted',
  'reordered',
  'duplicate',
  'not_canonical',
  'shape',
  'timestamp',
  'torn',
  'dropped',
  'truncated',
  'forked',
  'unsigned',
  'root',
  'node',
  'key_rotation',
];
/** What a broken disk or an older copy does to the end of a log, after which it takes no entries. */
const OF_ITS_END: ReadonlySet<FindingKind> = new Set(['torn', 'node', 'unsigned', 'truncated', 'removed']);
/** How the check names an anchor: with a number where there are several. */
const OF_AN_ANCHOR = /^(?:the anchor|anchor (\d{1,9}))\b/;
/** Of one kind; more of it say no more to people. Scripts get all. */
const SHOWN_OF_A_KIND = 10;
/** A changed entry may take the key of every head before a handover with it. */
const SHOWN_OF_KEYS = 2;

/** The answer of `grace audit verify` to people when something is wrong: what, where, and what to do. */
export function whatIsWrong({ findings, findingsMore, anchors, where, isExported, isGiven }: WrongLog): readonly string[] {
  if (!isExported && findingsMore === 0 && findings.every(({ kind }) => kind === 'unsigned'))
    return [
      `${paint('yellow', 'intact, but not signed to its end')}: ${where}`,
      ...findings.map(lineOf(anchors)),
      'a Grace that was killed leaves its last second like this: start it, and verify again; the start looks at these entries, and signs them',
      'where none was killed, or they stay unsigned, somebody else wrote them',
    ];
  const byKind = [...Map.groupBy(findings, ({ kind }) => kind)].toSorted(([a], [b]) => rank(a) - rank(b));
  return [
    `${paint('red', 'not intact')}: ${where}`,
    ...byKind.flatMap(([kind, of]) => {
      const shown = kind === 'unknown_key' ? SHOWN_OF_KEYS : SHOWN_OF_A_KIND;
      return [
        ...of.slice(0, shown).map(lineOf(anchors)),
        ...(of.length > shown ? [`  ${kind}: and ${of.length - shown} more like it`] : []),
      ];
    }),
    ...(findingsMore > 0 ? [`  and ${findingsMore} more`] : []),
    isGiven && findings.every(({ kind }) => kind === 'unknown_key')
      ? 'all of it fits but the key: what you gave is the key of another log, or somebody wrote this one anew; compare it with: grace audit keys'
      : `keep a copy of ${isExported ? 'it as it is' : 'grace.db, audit.key and audit.head as they are'} now, and get the heads and copies that you have elsewhere; docs/guide/audit.md says what each word means`,
    ...(!isExported && findings.some(({ kind, message }) => OF_ITS_END.has(kind) && !OF_AN_ANCHOR.test(message))
      ? [
          'whether the log may go on without its end, and what that would leave out, says: grace audit reopen --reason TEXT; it asks before it does',
        ]
      : []),
  ];
}

function rank(kind: FindingKind): number {
  const at = FIRST.indexOf(kind);
  return at < 0 ? FIRST.length : at;
}

function lineOf(anchors: readonly { readonly file: string }[]): (finding: Finding) => string {
  return ({ kind, message }) => {
    const number = OF_AN_ANCHOR.exec(message)?.[1];
    const file = anchors[number === undefined ? 0 : Number(number) - 1]?.file;
    const isOfAnchor = OF_AN_ANCHOR.test(message);
    return `  ${kind}: ${message}${isOfAnchor && file !== undefined ? ` (${file})` : ''}`;
  };
}
