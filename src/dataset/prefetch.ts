/**
 * The same values, the next `ahead` of them being made while the consumer works on one. Ends its source when the
 * consumer stops early. A failure surfaces where its value would have come.
 */
export async function* prefetch<T>(source: AsyncIterable<T>, ahead = 1): AsyncGenerator<T, void, undefined> {
  const iterator = source[Symbol.asyncIterator]()
  const pending: Promise<IteratorResult<T>>[] = []
  const request = () => {
    const next = iterator.next()
    // Whoever awaits `next` sees its failure; until then it must not count as unhandled.
    next.catch(() => undefined)
    pending.push(next)
  }
  try {
    for (let i = 0; i < Math.max(1, ahead); i++) request()
    for (;;) {
      const result = await pending.shift()!
      if (result.done === true) return
      request()
      yield result.value
    }
  } finally {
    await Promise.allSettled(pending)
    await iterator.return?.()
  }
}
