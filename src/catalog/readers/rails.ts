import { after, named, rule, type Rule } from './rule.ts';

const SOURCE_LINES = 16;

/** What Rails, Bundler, Rack, Puma and Sidekiq say of settings, keys, gems and applications. */
export const rails: readonly Rule[] = [
  // Credentials
  rule(
    ['Missing encryption key to decrypt file with'],
    /Missing encryption key to decrypt file with\..{0,80}? write it to (\S{1,300}?) or put it in the ENV\['(\w{1,60})'\]/,
    ([, path = '', variable = '']) => ({
      kind: 'encryption_key_wrong',
      subject: path,
      code: 'MissingKeyError',
      details: { reason: 'missing', variable },
    }),
  ),
  rule(
    ['MessageEncryptor::InvalidMessage', 'key must be '],
    /\(ActiveSupport::MessageEncryptor::InvalidMessage\)|message_encryptor\.rb:\d{1,5}:in [`'][^']{1,60}': key must be \d{1,3} bytes \(ArgumentError\)/,
    (_, place) =>
      // Cookies and messages of users are decrypted with other keys, while it runs.
      after(place, SOURCE_LINES, /encrypted_(?:file|configuration)\.rb/) === null
        ? { kind: 'secret_mismatch', code: 'decrypt' }
        : {
            kind: 'encryption_key_wrong',
            subject: 'config/master.key',
            code: 'InvalidMessage',
            details: { reason: 'wrong', variable: 'RAILS_MASTER_KEY' },
          },
  ),

  // config/database.yml
  rule(
    ['Could not load database configuration. No such file'],
    /Could not load database configuration\. No such file - \["([^"]{1,300})"/,
    ([, path = '']) => ({ kind: 'path_missing', subject: path, code: 'ENOENT' }),
  ),
  rule(
    ['YAML syntax error occurred while parsing'],
    /YAML syntax error occurred while parsing (\S{1,300}?)\. .{0,200}?Error: (?:\(<?[^)]{0,100}\): )?(.{1,200}?) at line (\d{1,7}) column (\d{1,7})/,
    ([, path = '', reason = '', line = '', column = '']) => ({
      kind: 'config_invalid',
      subject: path,
      code: 'yaml_parse',
      details: { language: 'yaml', reason, line: Number(line), column: Number(column) },
    }),
  ),
  rule(
    ['(ActiveRecord::AdapterNotSpecified)', 'AdapterNotSpecified: '],
    /(?:The [`'](\w{1,60})[`'] database is not configured|database configuration does not specify adapter|'(\w{1,60})' database is not configured)/,
    ([, one = '', other = '']) => ({
      kind: 'config_invalid',
      subject: 'config/database.yml',
      code: 'AdapterNotSpecified',
      details: named({ key: one || other || 'adapter' }),
    }),
  ),
  rule(['Cannot load database configuration:'], /Cannot load database configuration:/, () => []),
  rule(
    ['Active Record adapter. ', 'is not part of the bundle'],
    /(?:Error loading the '(\w{1,60})' Active Record adapter\. Missing a gem it depends on\? )?([\w-]{1,60}) is not part of the bundle/,
    ([, adapter = '', gem = '']) => ({ kind: 'driver_missing', subject: gem, code: 'Gem::LoadError', details: named({ engine: adapter }) }),
  ),

  // Bundler
  // Bundler repeats it above with the line as an echo; the cause at the end names file and line.
  rule(
    ['Gemfile:', '.gemspec:'],
    /[`': ]((?:[\w./-]{0,300}\/)?(?:Gemfile|[\w-]{1,100}\.gemspec)):(\d{1,7}): (?:syntax error,? ?)(.{0,200}?)(?: \(SyntaxError\))?$/,
    ([, path = '', line = '', message = '']) => ({
      kind: 'syntax_error',
      subject: path,
      code: 'SyntaxError',
      details: named({ language: 'ruby', message, line: Number(line) }),
    }),
  ),
  rule(['(Bundler::Dsl::DSLError)'], /\(Bundler::Dsl::DSLError\)$/, () => []),
  rule(
    ['(Bundler::GemfileNotFound)', 'Could not locate Gemfile'],
    /(?:(?<!\S)(\S{1,300}) not found \(Bundler::GemfileNotFound\)|Could not locate Gemfile)/,
    ([, path = 'Gemfile']) => ({ kind: 'path_missing', subject: path, code: 'Bundler::GemfileNotFound' }),
  ),
  rule(['contains merge conflicts'], /Your ([\w.]{1,60}) contains merge conflicts/, ([, path = '']) => ({
    kind: 'config_invalid',
    subject: path,
    code: 'merge_conflict',
    details: { reason: 'it contains merge conflicts' },
  })),
  rule(
    ['install in deployment mode after changing', 'but the lockfile can', 'lockfile is frozen'],
    /deployment mode after changing|lockfile (?:can't be updated|is frozen)/,
    () => ({
      kind: 'lock_file_outdated',
      subject: 'Gemfile.lock',
      code: 'bundler',
    }),
  ),
  rule(
    ['Your bundle only supports platforms'],
    /Your bundle only supports platforms \[(.{1,200}?)\] but your local platform is ([\w-]{1,60})/,
    ([, , platform = '']) => ({ kind: 'lock_file_outdated', subject: 'Gemfile.lock', code: 'bundler_platform', details: { platform } }),
  ),

  // What there is to serve
  rule(['No application configured, nothing to run'], /No application configured, nothing to run/, () => ({
    kind: 'application_missing',
    subject: 'config.ru',
    code: 'rack',
    details: { reason: 'unnamed' },
  })),
  rule(['configuration '], /^configuration (\S{1,300}\.ru) not found/, ([, path = '']) => ({
    kind: 'path_missing',
    subject: path,
    code: 'ENOENT',
  })),
  rule(['to define constant '], /expected file (\S{1,300}) to define constant ([\w:]{1,200})/, ([, path = '', name = '']) => ({
    kind: 'class_missing',
    subject: name,
    code: 'Zeitwerk::NameError',
    details: { path, reason: 'its file defines another name' },
  })),
  rule(['uninitialized constant '], /uninitialized constant ([\w:]{1,200})/, ([, name = '']) => ({
    kind: 'class_missing',
    subject: name,
    code: 'NameError',
  })),
  rule(
    ['is not present in the asset pipeline', "Webpacker can't find"],
    /[Tt]he asset "([^"]{1,200})" is not present in the asset pipeline|Webpacker can't find ([\w./-]{1,200})/,
    ([, asset = '', pack = '']) => ({ kind: 'assets_missing', subject: asset || pack, code: 'assets', details: { tool: 'rails' } }),
  ),
  rule(
    ['Multiple migrations have the ', 'No migration with version number'],
    /Multiple migrations have the (?:version number|name) ([\w]{1,100})|No migration with version number (\d{1,20})/,
    ([, twice = '', gone = '']) => ({
      kind: 'migration_failed',
      subject: twice || gone,
      code: 'rails',
      details: { tool: 'rails', reason: twice === '' ? 'missing' : 'branches' },
    }),
  ),
];
