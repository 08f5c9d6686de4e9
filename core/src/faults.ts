// Faults of the world that every floor must tell from bugs: nothing is broken, but no answer can be given now. Rooms
// extend these classes, so that doors know them without knowing a room.

/** The request could not be carried out, or nobody can say whether it was: safe to answer 503 with Retry-After. */
export class Unavailable extends Error {
  override readonly name: string = 'Unavailable';
}

/** All parts work, but others were faster again and again, or what is under way takes too long: the caller gave up. */
export class Busy extends Unavailable {
  override readonly name = 'Busy';
}
