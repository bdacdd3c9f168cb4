const names: string[] = []

/** Runs `fn` with `name` added to the scope of the nodes it makes: "encoder/dense_1". Synchronous only. */
export function withScope<T>(name: string, fn: () => T): T {
  names.push(name)
  try {
    return fn()
  } finally {
    names.pop()
  }
}

/** Runs `fn` with exactly this scope, whatever surrounds the call: a rule's nodes belong to the node they are made for. */
export function inScope<T>(scope: string, fn: () => T): T {
  const outer = names.splice(0, names.length, ...(scope === '' ? [] : [scope]))
  try {
    return fn()
  } finally {
    names.splice(0, names.length, ...outer)
  }
}

export function currentScope(): string {
  return names.join('/')
}

/** What errors call an op: "matmul in dense_1". */
export function operationName(op: string): string {
  return names.length === 0 ? op : `${op} in ${currentScope()}`
}
