import { lineAt, named, rule, type Rule } from './rule.ts';

const setting = (
  name: string,
): { readonly kind: 'setting_refused'; readonly subject: string; readonly details: { framework: string } } => ({
  kind: 'setting_refused',
  subject: name,
  details: { framework: 'django' },
});

/** A setting as Django writes it: capitals, two letters at least. */
const SETTING = /(?<![\w.])(?:settings\.)?([A-Z][A-Z0-9]{2,40}(?:_[A-Z0-9]{1,40}){0,6})\b/;
const NO_SETTING = /^(?:WSGI|ASGI|HINT|URL|HTTP|SQL|JSON|ERROR)$/;

function settingIn(text: string): string {
  const name = SETTING.exec(text)?.[1] ?? '';
  return NO_SETTING.test(name) ? '' : name;
}

/** What Django says of its settings, its applications and its migrations. */
export const django: readonly Rule[] = [
  rule(['but settings are not configured'], /settings are not configured/, () => ({
    kind: 'application_missing',
    subject: 'DJANGO_SETTINGS_MODULE',
    code: 'django',
    details: { reason: 'unnamed' },
  })),
  rule(["Apps aren't loaded yet", "Models aren't loaded yet"], /AppRegistryNotReady: (Apps|Models) aren't loaded yet/, ([, what = '']) => ({
    kind: 'used_too_early',
    subject: what.toLowerCase(),
    code: 'AppRegistryNotReady',
  })),
  rule(
    ['Error loading ', 'module. Did you install'],
    /ImproperlyConfigured: Error loading (\w{1,60})(?: or (\w{1,60}))? module(?:\.|: (?:No module named .{1,80})?$)/,
    ([, name = '']) => ({ kind: 'driver_missing', subject: name, code: 'ImproperlyConfigured' }),
  ),
  rule(["isn't an available database backend"], /isn't an available database backend/, () => ({
    ...setting('DATABASES'),
    code: 'ImproperlyConfigured',
  })),
  rule(['You must set settings.'], /You must set settings\.([A-Z_]{2,60})/, ([, name = '']) => ({
    ...setting(name),
    code: 'CommandError',
  })),
  rule(['Incorrect timezone setting'], /Incorrect timezone setting: /, () => ({ ...setting('TIME_ZONE'), code: 'ValueError' })),
  rule(['No translation files found for default language'], /No translation files found for default language/, () => ({
    ...setting('LANGUAGE_CODE'),
    code: 'OSError',
  })),
  rule(['WSGI application '], /(?:WSGI|ASGI) application '([\w.]{1,200})' could not be loaded/, ([, name = '']) => ({
    kind: 'application_missing',
    subject: name,
    code: 'django',
    details: { reason: 'module' },
  })),
  // `orders.Order.customer: (fields.E300) Field defines a relation with model 'X', which is …`
  rule(
    ['.E0', '.E1', '.E2', '.E3', '.E4', '.E5', '.E6', '.E7', '.E8', '.E9'],
    /^(\?|[\w.<>: ]{1,200}?): \((\w{1,40}\.E\d{3})\) (.{1,400})/,
    ([, object = '', code = '', message = '']) => ({
      ...setting(settingIn(message) || (object === '?' ? '' : object)),
      code,
      details: { framework: 'django', reason: message },
    }),
  ),
  rule(['SystemCheckError: '], /^SystemCheckError: System check identified/, () => []),
  rule(['Missing staticfiles manifest entry'], /Missing staticfiles manifest entry for '([^']{1,200})'/, ([, asset = '']) => ({
    kind: 'assets_missing',
    subject: asset,
    code: 'staticfiles',
    details: { tool: 'django' },
  })),
  rule(
    ['is applied before its dependency', 'dependencies reference nonexistent parent node'],
    /Migration ([\w.]{1,128}) (is applied before its dependency|dependencies reference nonexistent parent node)(?: \('([\w.]{1,60})', '([\w.]{1,100})'\)| ([\w.]{1,128}))?/,
    ([, migration = '', what = '', app = '', parent = '', dependency = '']) => ({
      kind: 'migration_failed',
      subject: what.startsWith('is') ? migration : parent || migration,
      code: 'django',
      details: named({ tool: 'django', reason: what.startsWith('is') ? 'order' : 'missing', app, dependency }),
    }),
  ),
  rule(
    ['Conflicting migrations detected'],
    /Conflicting migrations detected; .{0,60}: \(([\w, ]{1,200}) in (\w{1,60})\)/,
    ([, nodes = '', app = '']) => ({
      kind: 'migration_failed',
      subject: 'heads',
      code: 'django',
      details: { tool: 'django', reason: 'branches', app, nodes },
    }),
  ),
  rule(['ImproperlyConfigured: '], /ImproperlyConfigured: (.{1,400})/, ([, message = '']) => {
    // An absent one is read from the environment, by name.
    if (/setting must not be empty|Set the \w{1,100} environment variable|not found\. Declare it/.test(message)) return null;
    return { ...setting(settingIn(message)), code: 'ImproperlyConfigured', details: { framework: 'django', reason: message } };
  }),
  rule(['CommandError: '], /^CommandError: (.{1,300})/, ([, message = ''], place) =>
    /migrations|app label|database/i.test(message) || lineAt(place, 1) === '' || lineAt(place, 1).startsWith('To ')
      ? { kind: 'exception', subject: 'CommandError', code: 'CommandError', details: { message } }
      : null,
  ),
];
