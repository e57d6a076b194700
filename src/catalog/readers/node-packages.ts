import { after, rule, type Draft, type Reader } from './rule.ts';

/** What npm, pnpm, yarn and Corepack say about a project that they do not take as it is. */
export const nodePackages: Reader = {
  runtime: 'node',
  rules: [
    rule(
      ['`npm ci` can only install packages when your package.json'],
      /`npm ci` can only install packages when your package\.json and (\S{1,60})/,
      ([, lock = '']) => outOfSync(lock, 'EUSAGE'),
    ),
    rule(['The `npm ci` command can only install with an existing '], /can only install with an existing (\S{1,60})/, () =>
      outOfSync('package-lock.json', 'no_lock'),
    ),
    rule(['ERR_PNPM_OUTDATED_LOCKFILE'], /ERR_PNPM_OUTDATED_LOCKFILE.{0,100}? because (\S{1,60}) is not up to date/, ([, lock = '']) =>
      outOfSync(lock, 'ERR_PNPM_OUTDATED_LOCKFILE'),
    ),
    rule(['ERR_PNPM_NO_LOCKFILE'], /ERR_PNPM_NO_LOCKFILE/, () => outOfSync('pnpm-lock.yaml', 'no_lock')),
    rule(
      ['Your lockfile needs to be updated', 'The lockfile would have been modified by this install'],
      /Your lockfile needs to be updated|The lockfile would have been modified by this install/,
      () => outOfSync('yarn.lock', 'yarn'),
    ),

    rule(['This project is configured to use '], /This project is configured to use (npm|pnpm|yarn|bun)\b/, ([, manager = '']) =>
      mismatch(manager),
    ),
    rule(['defines "packageManager": "'], /defines "packageManager": "(?:yarn@)?(npm|pnpm|yarn|bun)@/, ([, manager = '']) =>
      mismatch(manager),
    ),
    rule(
      ['EBADDEVENGINES Invalid name "'],
      /Invalid name "([\w.-]{1,40})" does not match "[\w.-]{1,40}" for "packageManager"/,
      ([, manager = '']) => mismatch(manager),
    ),

    rule(
      ['Corepack cannot download', 'Cannot find matching keyid', 'No compatible signature found in package metadata'],
      /Corepack cannot download (?:the latest stable version of )?(npm|pnpm|yarn)\b|Cannot find matching keyid|No compatible signature found in package metadata/,
      ([, manager = '']) => ({ kind: 'package_manager_unavailable', subject: manager, code: 'corepack' }),
    ),
    rule(['ERR_PNPM_UNSUPPORTED_ENGINE'], /ERR_PNPM_UNSUPPORTED_ENGINE/, (_, place) => {
      const wants = after(place, 6, /^Expected version: (.{1,60})$/)?.[1] ?? '';
      const has = after(place, 6, /^Got: (.{1,40})$/)?.[1] ?? '';
      return { kind: 'runtime_version_mismatch', subject: `node ${wants}`.trim(), code: 'EBADENGINE', details: { wants, has } };
    }),
  ],
};

function outOfSync(subject: string, code: string): Draft {
  return { kind: 'lock_file_outdated', subject, code };
}

function mismatch(subject: string): Draft {
  return { kind: 'package_manager_mismatch', subject, code: 'package_manager' };
}
