import { lineAt, rule, type Draft, type Reader } from './rule.ts';

/** What Fastify, NestJS, Next.js, Prisma's client and the like say about how they are put together. */
export const nodeFrameworks: Reader = {
  runtime: 'node',
  rules: [
    // What a build makes
    rule(
      ['Could not find a production build in the ', 'Did you build your project', 'Did you run `astro build`'],
      /Could not find a production build in the '([^']{1,200})' directory|directory "([^"]{1,200})" does not exist\. Did you build your project|output directory (\S{1,200}) does not exist/,
      ([, next = '', vite = '', astro = '']) => ({ kind: 'build_missing', subject: next || vite || astro, code: 'build_missing' }),
    ),
    rule(
      ['did not initialize yet', "Cannot find module '.prisma/client", "Cannot find package '.prisma/client"],
      /(@prisma\/client) did not initialize yet|Cannot find (?:module|package) '(\.prisma\/client)[^']{0,60}'/,
      () => ({ kind: 'client_not_generated', subject: '@prisma/client', code: 'not_generated', details: { tool: 'prisma' } }),
    ),
    rule(
      ['Prisma Client could not locate the Query Engine', 'Prisma has detected that this project was built on'],
      /Prisma Client could not locate the Query Engine|Prisma has detected that this project was built on/,
      () => ({ kind: 'client_not_generated', subject: '@prisma/client', code: 'engine', details: { tool: 'prisma' } }),
    ),

    // Dependency injection: NestJS, Inversify, TSyringe, Awilix, Angular
    rule(
      ["can't resolve dependencies of the "],
      /Nest can't resolve dependencies of the ([\w"<>.$ ]{1,120}?) \([^)]{0,200}\)\. Please make sure that the argument "?([\w$.:-]{1,120})"? at index \[\d{1,3}\] is available in the ([\w$]{1,120})/,
      ([, into = '', name = '', module = '']) => ({
        kind: 'wiring_broken',
        subject: name,
        code: 'nest',
        details: { into, module },
      }),
    ),
    rule(
      ['"imports" array is undefined', '"imports" array is invalid'],
      /The module at index \[(\d{1,3})\] of the ([\w$]{1,120}) "imports" array is (?:undefined|invalid)/,
      ([, index = '', module = '']) => ({
        kind: 'wiring_broken',
        subject: `imports[${index}] of ${module}`,
        code: 'nest_import',
        details: { into: module, reason: 'circle' },
      }),
    ),
    rule(['Nest cannot create the '], /Nest cannot create the [\w$]{1,120} instance\./, (_, place) =>
      lineAt(place, 1).startsWith('The module at index') ? [] : null,
    ),
    rule(
      ['No matching bindings found for serviceIdentifier', 'No bindings found for service: ', 'AwilixResolutionError', 'NullInjectorError'],
      /No matching bindings found for serviceIdentifier: ([\w$.()]{1,120})|No bindings found for service: "([\w$.()]{1,120})"|AwilixResolutionError: Could not resolve '([\w$.]{1,120})'|No provider for ([\w$]{1,120})/,
      ([, older = '', inversify = '', awilix = '', angular = '']) => ({
        kind: 'wiring_broken',
        subject: older || inversify || awilix || angular,
        code: 'injection',
      }),
    ),
    rule(
      ['Cannot inject the dependency '],
      /Cannot inject the dependency "?([\w$.]{1,120})"? at position #\d{1,3} of "([\w$.]{1,120})" constructor/,
      // The token on the next line is taken for a secret by redaction.
      ([, argument = '', into = '']) => ({ kind: 'wiring_broken', subject: argument, code: 'injection', details: { into } }),
    ),
    rule(
      ["' is not registered", 'is missing dependencies'],
      /The dependency '([^']{1,120})' of plugin '([^']{1,120})' is not registered/,
      ([, name = '', into = '']) => ({
        kind: 'wiring_broken',
        subject: name,
        code: 'FST_ERR_PLUGIN_DEPENDENCY_NOT_REGISTERED',
        details: { into },
      }),
    ),
    rule(
      ['No metadata for "', 'RepositoryNotFoundError'],
      /(?:EntityMetadataNotFoundError: |RepositoryNotFoundError: )?No (?:metadata|repository) for "([^"]{1,120})" was found/,
      ([, name = '']) => ({ kind: 'wiring_broken', subject: name, code: 'typeorm', details: { into: 'the data source' } }),
    ),

    // Twice the same
    rule(
      ['already declared for route '],
      /Method '([A-Z]{1,20})' already declared for route '([^']{1,200})'/,
      ([, method = '', route = '']) => twice(`${method} ${route}`, 'FST_ERR_DUPLICATED_ROUTE'),
    ),
    rule(
      ['has already been added!'],
      /The (?:decorator|parser|reference) '([^']{1,120})' (?:has already been added|already present)/,
      ([, name = '']) => twice(name, 'FST_ERR_DEC_ALREADY_PRESENT'),
    ),
    rule(['model once compiled'], /Cannot overwrite `([^`]{1,120})` model once compiled/, ([, name = '']) =>
      twice(name, 'OverwriteModelError'),
    ),

    // Not ready in time
    rule(['Plugin did not start in time: '], /Plugin did not start in time: '([^']{1,200})'/, ([, name = '']) => ({
      kind: 'start_timeout',
      subject: name,
      code: 'AVV_ERR_PLUGIN_EXEC_TIMEOUT',
    })),
    rule(
      ['AVV_ERR_READY_TIMEOUT', 'FST_ERR_PLUGIN_TIMEOUT', 'Plugin did not start in time. You may'],
      /(AVV_ERR_READY_TIMEOUT|FST_ERR_PLUGIN_TIMEOUT)/,
      ([, code = '']) => ({
        kind: 'start_timeout',
        subject: '',
        code,
      }),
    ),
  ],
};

function twice(subject: string, code: string): Draft {
  return { kind: 'registered_twice', subject, code };
}
