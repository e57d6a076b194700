import { familyForPeople } from './for-people.ts';

/** Something is dated in the future: of two clocks one is wrong, and most often it is that of this machine. */
export const clockWrong = familyForPeople({
  name: 'clock_wrong',
  title: 'the clock is wrong',
  kinds: ['clock_wrong'],
  causeOf: (fact) => `something is dated in the future (${fact.code}): the clock of this machine, or of the other side, is wrong`,
  adviceOf: () => [
    'compare the clock with a time server: timedatectl, chronyc tracking',
    'when it is right, look at who issued the certificate or token, and when',
  ],
});
