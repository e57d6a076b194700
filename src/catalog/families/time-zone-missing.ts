import { familyForPeople } from './for-people.ts';

/** A slim image without tzdata, or a zone that was renamed or misspelt. */
export const timeZoneMissing = familyForPeople({
  name: 'time_zone_missing',
  title: 'the time zone is not known',
  kinds: ['time_zone_missing'],
  causeOf: (fact) => `the time zone ${fact.subject} is not known here`,
  adviceOf: (fact) => [
    'install tzdata (for MySQL, fill its tables with mysql_tzinfo_to_sql)',
    `check the spelling of ${fact.subject || 'the zone'}: it may have another name in older zone data`,
  ],
});
