import { expect, test } from 'vitest';
import { askingFolder } from './asking-folder.ts';

const ELF = '\u007FELF';
const askedIn = (file: string, real = file, begin = ELF): string => askingFolder({ file, real, begin }, '/srv/shop');

test('a program of the machine is asked away from the service', () => {
  expect(askedIn('/usr/bin/redis-server')).toBe('/');
  expect(askedIn('/usr/bin/redis-server', '/usr/bin/redis-check-rdb')).toBe('/'); // as Debian packs it
  expect(askedIn('/usr/bin/python3', '/usr/bin/python3.11')).toBe('/');
  expect(askedIn('/usr/bin/php', '/usr/bin/php8.2')).toBe('/');
  expect(askedIn('/usr/bin/nodejs', '/usr/bin/node')).toBe('/');
  expect(askedIn('/srv/shop/.venv/bin/python', '/usr/bin/python3.11')).toBe('/');
});

test('where the folder decides which version answers, the question is asked there', () => {
  expect(askedIn('/root/.pyenv/shims/python', '/root/.pyenv/shims/python', '#!/usr/bin/env bash')).toBe('/srv/shop');
  expect(askedIn('/root/.volta/bin/node', '/root/.volta/bin/volta-shim')).toBe('/srv/shop');
  expect(askedIn('/root/.local/share/mise/shims/ruby', '/usr/bin/mise')).toBe('/srv/shop');
  expect(askedIn('/usr/bin/dotnet', '/usr/lib/dotnet/dotnet')).toBe('/srv/shop');
  expect(askedIn('/usr/lib/go-1.22/bin/go')).toBe('/srv/shop');
});

test('a path that begins at the folder of the service is followed from there', () => {
  expect(askedIn('bin/node')).toBe('/srv/shop');
});
