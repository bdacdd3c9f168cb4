/** Work that may be left at every `yield`, so that others get a turn of the event loop. */
export type Steps<T> = Generator<void, T, void>

/** Milliseconds that work holds the event loop before it gives a turn. */
const turn = 8

/** Does the work in one go. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}

/** Does the work, giving way to others every few milliseconds. */
export async function inTurns<T>(steps: Steps<T>): Promise<T> {
  const turns = new Turns()
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
    await turns.give()
  }
}

/** For loops that await anyway: `await turns.give()` lets others have a turn when it is time. */
export class Turns {
  private last = performance.now()

  async give(): Promise<void> {
    if (performance.now() - this.last < turn) return
    await new Promise(setImmediate)
    this.last = performance.now()
  }
}
