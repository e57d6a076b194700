import { codeOf, type Files } from '../../kernel/index.ts';
import { anchored } from './anchored-path.ts';

/**
 * The same files, of which only what is allowed can be changed, and nothing that somebody put in the place of a folder after that was
 * judged: whoever may write to the folders of a service cannot lead a Grace that may do more out of them. Looking is as before.
 * @param isAllowed  gets the real path; throws when it must not be changed
 */
export function anchoredFiles(files: Files, isAllowed: (real: string) => Promise<unknown>): Files {
  const at = <T>(path: string, work: (path: string) => Promise<T>, make = false): Promise<T> => anchored(path, isAllowed, work, make);
  const both = (from: string, to: string, work: (from: string, to: string) => Promise<void>): Promise<void> =>
    at(from, (source) => at(to, (target) => work(source, target)));
  /** What has no folder is gone already. */
  const unlessGone = (path: string, work: (path: string) => Promise<void>): Promise<void> =>
    at(path, work).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
  return {
    ...files,
    writeAtomic: (path, data, options) => at(path, (place) => files.writeAtomic(place, data, options)),
    symlink: (target, path) => at(path, (place) => files.symlink(target, place)),
    makeDir: (path, options) => at(path, (place) => files.makeDir(place, options), true),
    rename: (from, to) => both(from, to, (source, target) => files.rename(source, target)),
    copy: (from, to) => both(from, to, (source, target) => files.copy(source, target)),
    remove: (path) => unlessGone(path, (place) => files.remove(place)),
    removeTree: (path) => unlessGone(path, (place) => files.removeTree(place)),
    chmod: (path, mode) => at(path, (place) => files.chmod(place, mode)),
    chown: (path, uid, gid) => at(path, (place) => files.chown(place, uid, gid)),
  };
}
