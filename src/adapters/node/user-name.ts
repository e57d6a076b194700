import { userInfo } from 'node:os';

/** Who runs this process: that is who decides. A name that somebody gives for themselves counts for nothing. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`; // a container's user may be in no list of users
  }
}
