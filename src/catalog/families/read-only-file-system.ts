import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, SURE } from './answer.ts';

/** Mounting is for people: a disk that turned read-only is often a disk that is dying. */
export const readOnlyFileSystem: FailureFamily = {
  name: 'read_only_file_system',
  title: 'the file system is read-only',
  diagnose: (c) =>
    Promise.resolve(
      factsOf(c, 'read_only_file_system')
        .slice(0, 1)
        .map((fact) =>
          diagnosis('read_only_file_system', {
            cause: `${fact.subject || 'a path'} lies on a file system that is read-only (EROFS)`,
            confidence: SURE,
            evidence: [fact.line],
            advice: [
              'see in the kernel log (dmesg) whether the disk has errors',
              'mount it writable again, or have the service write elsewhere',
            ],
          }),
        ),
    ),
  guard: null,
};
