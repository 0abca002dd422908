/** Between the alarm that is answered and the next one, milliseconds. */
const APART = 5;

/**
 * The earliest time that an object may arm while it answers its alarm, epoch milliseconds. The platform removes the
 * alarm that is answered even when the same millisecond is set anew meanwhile, and rings up to a millisecond early by
 * the object's clock: what was armed for is not due yet then, is armed again, and nobody would ever ring.
 *
 * @param answered when the alarm was armed for; `null` when the object does not remember
 */
export function nextAlarm(answered: number | null, now: number): number {
  return Math.max(answered ?? 0, now) + APART;
}
