import type { Spawner } from '../../../kernel/index.ts';

const AS_ROOT = ['unshare', '--mount'];
/** Where the kernel lets everybody make namespaces. */
const AS_USER = ['unshare', '--user', '--map-root-user', '--mount'];
const TRY_MS = 5_000;

/**
 * The first arguments, up to `--`, are directories that stay writable. Every other file system that holds files becomes read-only for this
 * command and what it starts; where one does not, the command is not run. Flags that a mount has are named again: the kernel lets
 * nobody in a namespace of his own take them away. Without its capabilities the command cannot undo it.
 */
const SCRIPT = `set -eu
keep=
while [ "$1" != -- ]; do mount --bind "$1" "$1"; keep="$keep|$1|"; shift; done
shift
while read -r _ at type flags _; do
  at=$(printf '%b' "$at")
  case $type in proc|sysfs|devpts|mqueue|cgroup|cgroup2|debugfs|tracefs|securityfs|bpf|pstore|configfs|fusectl|binfmt_misc|hugetlbfs|autofs|nsfs) continue;; esac
  case $keep in *"|$at|"*) continue;; esac
  same=
  for flag in nosuid nodev noexec noatime nodiratime relatime; do case ",$flags," in *",$flag,"*) same="$same,$flag";; esac; done
  mount -o "remount,bind,ro$same" "$at" 2>/dev/null || { [ ! -d "$at" ] && [ ! -f "$at" ]; } || [ "$at" = /dev ] || exit 126
done </proc/self/mounts
cd "$(pwd -P)"
exec setpriv --inh-caps=-all --bounding-set=-all -- "$@"
`;

/** Where the commands for it are. */
const PATH_OF_SYSTEM = '/usr/sbin:/usr/bin:/sbin:/bin';

/** The command with a file system in which it can write nowhere but below some directories; null where the system refuses that. */
export async function confinedTo(
  dirs: readonly string[],
  argv: readonly string[],
  { spawner, cwd, signal }: { readonly spawner: Spawner; readonly cwd: string; readonly signal: AbortSignal },
): Promise<readonly string[] | null> {
  for (const prefix of [AS_ROOT, AS_USER]) {
    const confined = [...prefix, '/bin/sh', '-c', SCRIPT, 'sh', ...dirs, '--'];
    const proof = ['/bin/sh', '-c', 'for dir in "$@"; do [ -w "$dir" ] || exit 1; done; [ ! -w / ] && [ ! -w /tmp ]', 'sh', ...dirs];
    const tried = await spawner.run([...confined, ...proof], { cwd, env: { PATH: PATH_OF_SYSTEM }, timeoutMs: TRY_MS, signal });
    signal.throwIfAborted();
    if (tried.exitCode === 0) return [...confined, ...argv];
  }
  return null;
}
