import { text } from './answer.ts';
import { mistakeInCode } from './mistake-in-code.ts';

/** What puts a service together (NestJS, Inversify, TypeORM, Fastify's plugins) was asked for a part that nobody provides. */
export const dependencyUnresolved = mistakeInCode({
  name: 'dependency_unresolved',
  title: 'a part of the code is provided by nobody',
  kind: 'dependency_unresolved',
  causeOf: (fact) => {
    const into = text(fact, 'into');
    return `${into === '' ? 'a part of the code' : into} needs ${fact.subject || 'something'}, which ${nobody(text(fact, 'module'))}`;
  },
  adviceOf: (fact) => {
    const module = text(fact, 'module');
    if (fact.code === 'nest_import')
      return [`import the modules of ${module} without a circle`, 'or use forwardRef() where two modules import each other'];
    return [
      module === ''
        ? `register ${fact.subject || 'it'} before it is asked for`
        : `add ${fact.subject} to the providers of ${module}, or import the module that exports it`,
    ];
  },
});

function nobody(module: string): string {
  return module === '' ? 'nobody has registered' : `${module} neither provides nor imports`;
}
