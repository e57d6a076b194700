import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, LIKELY, linesOf, PERHAPS, text } from './answer.ts';
import { isInPackages } from './places.ts';

/** Debian's package for the libraries that drivers and image packages are linked with. */
const PACKAGE_OF: readonly (readonly [RegExp, string])[] = [
  [/^libpq\.so/, 'libpq5'],
  [/^libmysqlclient\.so/, 'default-libmysqlclient-dev'],
  [/^libmariadb\.so/, 'libmariadb3'],
  [/^libsqlite3\.so/, 'libsqlite3-0'],
  [/^libssl\.so\.1\.1|^libcrypto\.so\.1\.1/, 'libssl1.1, or a build for OpenSSL 3'],
  [/^libssl\.so|^libcrypto\.so/, 'libssl3'],
  [/^libGL\.so/, 'libgl1'],
  [/^libgobject-2\.0\.so|^libglib-2\.0\.so/, 'libglib2.0-0'],
  [/^libgomp\.so/, 'libgomp1'],
  [/^libffi\.so/, 'libffi8'],
  [/^libyaml-0\.so/, 'libyaml-0-2'],
  [/^libxml2\.so/, 'libxml2'],
  [/^libxslt\.so/, 'libxslt1.1'],
  [/^libcairo\.so/, 'libcairo2'],
  [/^libpango-1\.0\.so/, 'libpango-1.0-0'],
  [/^libmagic\.so/, 'libmagic1'],
  [/^libvips\.so/, 'libvips42'],
  [/^libjemalloc\.so/, 'libjemalloc2'],
  [/^libzbar\.so/, 'libzbar0'],
  [/^libodbc\.so/, 'unixodbc'],
  [/^libldap/, 'libldap-2.5-0'],
  [/^libsnappy\.so/, 'libsnappy1v5'],
  [/^libgdal\.so/, 'libgdal32'],
  [/^libatomic\.so/, 'libatomic1'],
  [/^libstdc\+\+\.so/, 'libstdc++6'],
];

/** A compiled package looks for a library of the machine. Grace installs nothing into the system. */
export const libraryMissing: FailureFamily = {
  name: 'library_missing',
  title: 'a library of the machine is missing',
  async diagnose(c) {
    const facts = factsOf(c, 'native_module_broken').filter(
      (f) => text(f, 'reason') === 'shared library missing' && !isInPackages(f.subject),
    );
    const [fact] = facts;
    if (fact === undefined) return [];
    // Some packages bring their libraries along: then the package is what is broken.
    const { damaged, missing } = await c.host.packages(c.component.cwd);
    if (damaged.length + missing.length > 0) return [];
    const name = fact.subject.slice(fact.subject.lastIndexOf('/') + 1);
    const known = PACKAGE_OF.find(([pattern]) => pattern.test(name))?.[1];
    return [
      diagnosis('library_missing', {
        cause: `the library ${name} is not on this machine, or not where the loader looks`,
        confidence: known === undefined ? PERHAPS : LIKELY,
        evidence: linesOf(facts),
        advice: [
          known === undefined
            ? `install the package of the system that has ${name}`
            : `install ${known} (Debian, Ubuntu; other systems call it otherwise)`,
          'see what else it needs: ldd on the compiled file',
        ],
      }),
    ];
  },
  guard: null,
};
