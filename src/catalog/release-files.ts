import { basename, dirname } from 'node:path';
import type { LastGoodEntry } from '../domains/playbooks/index.ts';
import type { ComponentSpec } from '../domains/supervisor/index.ts';
import { isCertificate, isCode, isConfigOfCommand, isInPackages, isOwn, mayBeData } from './families/places.ts';

/** What declares the packages of a service, and at which versions. */
const PACKAGES =
  /^(?:package\.json|package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|pnpm-workspace\.yaml|yarn\.lock|bun\.lockb?|requirements[\w.-]{0,40}\.txt|Pipfile(?:\.lock)?|poetry\.lock|uv\.lock|pyproject\.toml|Gemfile(?:\.lock)?|composer\.(?:json|lock)|go\.(?:mod|sum)|Cargo\.(?:toml|lock))$/;
const CONFIG = /\.(?:json[5c]?|ya?ml|toml|ini|cfg|conf|config|properties|xml)$/i;
const CONFIG_DIR = /^(?:config|conf|settings|etc)$/;
const EXAMPLE = /\.(?:example|sample|template|dist)$/i;

/** Whether a file belongs to a release beside its code: config, env file, lock file. What a service writes itself is data, and does not. */
export function isReleaseFile(component: ComponentSpec, path: string): boolean {
  if (isEnvFile(component, path)) return true;
  if (!isOwn(component, path) || isInPackages(path) || EXAMPLE.test(path) || isCertificate(path)) return false;
  if (declaresPackages(path) || isConfigOfCommand(component, path)) return true;
  if (isCode(path) || !CONFIG.test(path)) return false;
  return !mayBeData(path) || CONFIG_DIR.test(basename(dirname(path)));
}

export function isEnvFile(component: ComponentSpec, path: string): boolean {
  return component.envFiles.includes(path) || (/^\.env(?:\.|$)/.test(basename(path)) && !EXAMPLE.test(path) && isOwn(component, path));
}

export function declaresPackages(path: string): boolean {
  return PACKAGES.test(basename(path));
}

/** Whether the kept copies are those of this boot: of a later one, which nobody has verified, they are no way back to it. */
export function areKeptFrom(entries: readonly LastGoodEntry[], boot: string): boolean {
  return entries.some((e) => e.bootId === boot) && entries.every((e) => e.bootId <= boot);
}
