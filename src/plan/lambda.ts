import { Expr, expression, type Value } from './builder.ts'

/** How many lambdas are being built around this one: names that differ within an expression and repeat between two. */
let depth = 0

/** A function of one variable for `transform`, `listFilter`, `anyMatch` and `allMatch`: `lambda((x) => x.multiply(2))`. */
export function lambda(body: (element: Expr) => Value): Expr {
  const variable = `__x${++depth}`
  try {
    const value = body(new Expr({ kind: 'variable', name: variable }))
    return new Expr({ kind: 'lambda', variable, body: expression(value) })
  } finally {
    depth--
  }
}
