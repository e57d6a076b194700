import { rule, type Reader } from './rule.ts';

/** What settings are called; source code has its own readers, and `host.example:80` is no file. */
const SETTINGS =
  /\.(?:conf|cfg|cnf|ini|ya?ml|json[5c]?|toml|xml|properties|hcl|rules|vcl|config|acl|env|cf)$|(?:^|\/)(?:[A-Z][a-z]{2,20}file|\.?[a-z]{0,20}(?:config|rc))$/;

/** `Caddyfile:11: unrecognized directive`, `/etc/haproxy.cfg:27: unknown keyword`: how programs in C and Go complain about settings. */
export const fileAndLine: Reader = {
  runtime: 'unknown',
  rules: [
    rule(
      [
        'nrecognized',
        'nknown',
        'nexpected',
        'nvalid',
        'yntax error',
        'arse error',
        'uplicate',
        'not allowed',
        'llegal',
        'alformed',
        'issing',
      ],
      /(?<![\w./@:-])([\w./@-]{1,200}):(\d{1,6})(?::\d{1,5})?:? (?:- )?(?:[\w :-]{0,40}\b)?([Uu]nrecogni[sz]ed|[Uu]nknown|[Uu]nexpected|[Ii]nvalid|[Ss]yntax error|[Pp]arse error|[Dd]uplicate|not allowed|[Ii]llegal|[Mm]alformed|[Mm]issing)\b([^\n]{0,120})/,
      ([, file = '', line = '', complaint = '', rest = '']) =>
        SETTINGS.test(file)
          ? {
              kind: 'config_invalid',
              subject: file,
              code: 'settings_line',
              details: { line: Number(line), reason: `${complaint}${rest}` },
            }
          : null,
    ),
  ],
};
