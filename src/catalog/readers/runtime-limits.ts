import { rule, type Reader } from './rule.ts';

/** Limits of a runtime or of a user that a program has run into, in any language. */
export const runtimeLimits: Reader = {
  runtime: 'unknown',
  rules: [
    rule(
      [
        'Maximum call stack size exceeded',
        'RecursionError',
        'StackOverflowError',
        'stack level too deep',
        'goroutine stack exceeds',
        'has overflowed its stack',
      ],
      /RangeError: Maximum call stack size exceeded|RecursionError: maximum recursion depth exceeded|java\.lang\.StackOverflowError|stack level too deep|goroutine stack exceeds \d{1,20}-byte limit|has overflowed its stack/,
      () => ({ kind: 'stack_overflow', code: 'stack_overflow' }),
    ),
    rule(
      [
        'EAGAIN',
        'esource temporarily unavailable',
        'unable to create native thread',
        "can't start new thread",
        'failed to create new OS thread',
      ],
      /\bspawn (\S{1,200}) EAGAIN|\bfork(?:\/exec \S{1,200})?: (?:retry: )?[Rr]esource temporarily unavailable|unable to create (?:new )?native thread|can't start new thread|failed to create new OS thread|pthread_create.{0,40}[Rr]esource temporarily unavailable/,
      ([, command = '']) => ({ kind: 'too_many_processes', subject: command, code: 'EAGAIN' }),
    ),
    rule(
      ['digital envelope routines', 'ERR_OSSL_EVP_UNSUPPORTED', 'unsupported hash type'],
      /digital envelope routines:{1,2}(?:\w{0,40}:{1,2})?(?:unsupported|initialization error)|unsupported hash type (\w{1,20})/,
      ([, algorithm = '']) => ({ kind: 'crypto_unsupported', subject: algorithm, code: 'ERR_OSSL_EVP_UNSUPPORTED' }),
    ),
  ],
};
