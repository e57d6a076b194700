import { after, before, named, rule, type Draft, type Place, type Reader } from './rule.ts';

const URL = /\b(https?:\/\/[\w.-]{1,253}(?::\d{1,5})?)/;

/**
 * Another service that was asked over HTTP refused. Only the statuses that say something about its caller or its state: an
 * answer 404 or 500 can mean anything.
 */
export const httpAnswers: Reader = {
  runtime: 'unknown',
  rules: [
    // axios, got, Python's requests and urllib, a program's own words; never a line of an access log, which has no `Error`
    rule(
      ['401', '403', '429', '503'],
      /\b(?:\w{0,40}Error|error|Exception|failed)\b.{0,200}?\b(?:status(?: code)?:? |answered |responded with |returned |HTTP(?: Error)? |Response code )(401|403|429|503)\b|\bHTTP ?[Ee]rror: (401|403|429|503)\b/,
      ([, status = '', other = ''], place) => answered(status || other, place),
    ),
  ],
};

function answered(status: string, place: Place): Draft | null {
  const text = place.lines[place.at]?.text ?? '';
  const url = URL.exec(text) ?? after(place, 60, /^\s{2,8}url: '(https?:\/\/[\w.-]{1,253}(?::\d{1,5})?)/) ?? before(place, 3, URL);
  const subject = url?.[1] ?? '';
  return status === '401' || status === '403'
    ? { kind: 'access_refused', subject, code: status, details: named({ status: Number(status) }) }
    : { kind: 'service_busy', subject, code: status, details: named({ status: Number(status) }) };
}
