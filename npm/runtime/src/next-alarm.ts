/** Between the alarm that is answered and the next one, milliseconds. */
const APART = 5;

/** An alarm does not ring earlier than this before its time, milliseconds: what is armed for later is not what rings. */
const EARLY = 1_000;

/**
 * The earliest time that an object may arm while it answers its alarm, epoch milliseconds. The platform removes the
 * alarm that is answered even when the same millisecond is set anew meanwhile, and rings up to a millisecond early by
 * the object's clock: what was armed for is not due yet then, is armed again, and nobody would ever ring.
 *
 * @param answered when the object remembers to have armed for; `null` when it does not
 */
export function nextAlarm(answered: number | null, now: number): number {
  const isThisOne = answered !== null && answered <= now + EARLY;
  return Math.max(isThisOne ? answered : 0, now) + APART;
}
