import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import type { Fact } from '../../domains/incidents/index.ts';
import { diagnosis, LIKELY, linesOf, PERHAPS, text } from './answer.ts';

/** PHP's extensions in Debian's packages, where those are called otherwise. */
const PHP_PACKAGE: Readonly<Record<string, string>> = {
  mysqli: 'mysql', pdo_mysql: 'mysql', pdo_pgsql: 'pgsql', pdo_sqlite: 'sqlite3', dom: 'xml', simplexml: 'xml', xmlreader: 'xml', xmlwriter: 'xml', pdo: 'common',
  ctype: 'common', tokenizer: 'common', iconv: 'common', sockets: 'common', posix: 'common', sodium: 'common',
}; // prettier-ignore

/** The runtime was installed without a part that the service needs. Grace installs nothing into the system. */
export const runtimeExtensionMissing: FailureFamily = {
  name: 'runtime_extension_missing',
  title: 'the runtime lacks an extension',
  diagnose(c) {
    const facts = factsOf(c, 'runtime_extension_missing');
    if (facts.length === 0) return Promise.resolve([]);
    const names = [...new Set(facts.map((f) => f.subject))];
    const isOnlyWarned = facts.every((f) => f.details['isWarning'] === true);
    return Promise.resolve([
      diagnosis('runtime_extension_missing', {
        cause: `${runtimeOf(facts)} runs without ${names.slice(0, 4).join(', ')}`,
        confidence: isOnlyWarned && c.failure.facts.length > facts.length ? PERHAPS : LIKELY,
        evidence: linesOf(facts),
        advice: [...new Set(facts.map(packageAdvice))].slice(0, 4),
      }),
    ]);
  },
  guard: null,
};

function runtimeOf(facts: readonly Fact[]): string {
  return facts[0]?.runtime === 'php' ? 'PHP' : facts[0]?.runtime === 'python' ? 'Python' : 'the runtime';
}

function packageAdvice(fact: Fact): string {
  if (fact.runtime === 'php') {
    const name = PHP_PACKAGE[fact.subject] ?? fact.subject;
    return `install php-${name} (Debian, Ubuntu), or docker-php-ext-install ${fact.subject} in an image of PHP; then see php -m`;
  }
  const known = text(fact, 'package');
  return known === '' ? `take a Python that was built with ${fact.subject}` : `install ${known} (Debian, Ubuntu)`;
}
