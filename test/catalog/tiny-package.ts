import { World, type Thing } from './specimen.ts';

const PACKAGE: Readonly<Record<string, Thing>> = {
  'vendor/tiny/package.json': '{ "name": "tiny", "version": "2.0.0", "main": "index.js" }\n',
  'vendor/tiny/index.js': 'exports.connect = () => undefined;\n',
};

/** Makes a package of a few lines, and has npm install it with a lock file, from a file and not from a registry. */
export function installed(world: World): void {
  for (const [path, thing] of Object.entries(PACKAGE)) world.write(path, thing);
  world.run(['npm', 'pack', '--silent', '--pack-destination', world.dir, './vendor/tiny']);
  world.write('package.json', '{ "name": "shop", "dependencies": { "tiny": "file:tiny-2.0.0.tgz" } }\n');
  world.run(['npm', 'install', '--silent', '--no-audit', '--no-fund']);
}
