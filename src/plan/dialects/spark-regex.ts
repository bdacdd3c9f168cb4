import { refuse } from './spark-types.ts'

/** RE2's classes whose names Java has otherwise. */
const posix: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7F',
  blank: '\\t ',
  cntrl: '\\x00-\\x1F\\x7F',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-/:-@\\[-`{-~',
  space: '\\t\\n\\x0B\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
}
const word = '0-9A-Za-z_'
/** RE2's escapes that mean something else, or nothing, in Java: outside of classes and within. */
const escapes: Readonly<Record<string, readonly [outside: string, inside: string | undefined]>> = {
  s: ['[\\t\\n\\f\\r ]', '\\t\\n\\f\\r '],
  S: ['[^\\t\\n\\f\\r ]', '[^\\t\\n\\f\\r ]'],
  v: ['\\x0B', '\\x0B'],
  a: ['\\x07', '\\x07'],
  // Java's sees letters of all scripts.
  b: [`(?:(?<=[${word}])(?![${word}])|(?<![${word}])(?=[${word}]))`, undefined],
  B: [`(?:(?<=[${word}])(?=[${word}])|(?<![${word}])(?![${word}]))`, undefined],
}

/**
 * An RE2 pattern as a Java pattern that matches the same text. Differences told by RE2's syntax page: `$` is the very end,
 * `.` leaves out the newline alone, `\s`, `\b`, `\v` are ASCII's, `(?i)` folds all scripts, class brackets nest not.
 * @throws QueryError for what RE2 does not know (so that both engines refuse it) and for `\C`, `(?U)`.
 */
export function javaPattern(pattern: string): string {
  let out = ''
  let multiline = false
  let i = 0
  const fail = (what: string): never =>
    refuse(
      'regular expression',
      `"${pattern}" has ${what}`,
      'Write it in RE2 syntax (https://github.com/google/re2/wiki/Syntax)',
    )
  while (i < pattern.length) {
    const c = pattern[i]!
    const rest = pattern.slice(i)
    if (c === '\\') {
      const quoted = /^\\Q([\s\S]*?)(?:\\E|$)/.exec(rest)
      if (quoted !== null) {
        out += quoted[1]!.replace(/[^\p{L}\p{N}\s]/gu, '\\$&')
        i += quoted[0].length
        continue
      }
      const [text, length] = escape(rest, false, fail)
      out += text
      i += length
    } else if (c === '[') {
      const [text, length] = characterClass(rest, fail)
      out += text
      i += length
    } else if (c === '(') {
      const special = /^\(\?(?:P?<([A-Za-z_]\w*)>|([a-zA-Z]*)(?:-([a-zA-Z]+))?([:)]))/.exec(rest)
      if (special !== null) {
        const [all, name, on = '', off = '', end] = special
        if (name !== undefined) out += `(?<${javaName(name)}>`
        else {
          if (/[^ims]/.test(on + off)) fail(`the flags "${on}${off}"`)
          multiline = (multiline || on.includes('m')) && !off.includes('m')
          const flags = on.replace('i', 'iu') + (off === '' ? '' : `-${off.replace('i', 'iu')}`)
          out += `(?${flags}${end}`
        }
        i += all.length
      } else {
        if (rest.startsWith('(?')) fail(`"${rest.slice(0, 3)}", which RE2 does not know`)
        out += '('
        i++
      }
    } else if (c === '$') {
      out += multiline ? '$' : '\\z'
      i++
    } else {
      const quantifier = /^(?:[*+?]|\{\d+(?:,\d*)?\})/.exec(rest)?.[0]
      if (quantifier === undefined) {
        // A brace that repeats nothing is itself.
        out += c === '{' || c === '}' ? `\\${c}` : c
        i++
      } else {
        out += quantifier
        i += quantifier.length
        if (pattern[i] === '?') {
          out += '?'
          i++
        } else if (pattern[i] === '+') fail(`"${quantifier}+", which RE2 does not know`)
      }
    }
  }
  // Only U+000A ends a line.
  return `(?d)${out}`
}

function escape(rest: string, inside: boolean, fail: (what: string) => never): [text: string, length: number] {
  const property = /^\\[pP](?:\{(\^?)([\w]+)\}|([A-Z]))/.exec(rest)
  if (property !== null) {
    const [all, not, name = '', letter] = property
    const upper = (rest[1] === 'P') !== (not === '^')
    const named = letter ?? name
    const java = named.length <= 2 ? named : `Is${named}`
    return [`\\${upper ? 'P' : 'p'}{${java}}`, all.length]
  }
  const hex = /^\\x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))/.exec(rest)
  if (hex !== null) return [`\\x{${hex[1] ?? hex[2]}}`, hex[0].length]
  const octal = /^\\0?[0-7]{1,3}/.exec(rest)
  if (octal !== null) {
    const digits = octal[0].slice(1)
    if (!digits.startsWith('0') && digits.length < 3)
      return fail(`the back reference "${octal[0]}", which RE2 does not know`)
    return [`\\x{${Number.parseInt(digits, 8).toString(16)}}`, octal[0].length]
  }
  const letter = rest[1]
  if (letter === undefined) return fail('a backslash at its end')
  const other = escapes[letter]
  if (other !== undefined) {
    const text = inside ? other[1] : other[0]
    return text === undefined ? fail(`"\\${letter}" in a class`) : [text, 2]
  }
  if (/[dDwWtnfrAz]/.test(letter)) return [`\\${letter}`, 2]
  if (/[A-Za-z0-9]/.test(letter)) return fail(`"\\${letter}", which RE2 does not know or Java has not`)
  const character = String.fromCodePoint(rest.codePointAt(1)!)
  return [/\s/.test(character) ? character : `\\${character}`, 1 + character.length]
}

function characterClass(rest: string, fail: (what: string) => never): [text: string, length: number] {
  let i = 1
  let out = '['
  if (rest[i] === '^') {
    out += '^'
    i++
  }
  for (let first = true; ; first = false) {
    const c = rest[i]
    if (c === undefined) return fail('a class without its end')
    if (c === ']' && !first) return [`${out}]`, i + 1]
    const named = /^\[:(\^?)(\w+):\]/.exec(rest.slice(i))
    if (named !== null) {
      const members = posix[named[2]!] ?? fail(`the unknown class "${named[0]}"`)
      out += named[1] === '^' ? `[^${members}]` : members
      i += named[0].length
    } else if (c === '\\') {
      const [text, length] = escape(rest.slice(i), true, fail)
      out += text
      i += length
    } else {
      // Java would nest brackets and intersect at "&&".
      out += /[[\]&~|^#]/.test(c) ? `\\${c}` : c
      i++
    }
  }
}

/** Java's group names have no underscores. */
function javaName(name: string): string {
  return name.replaceAll('_', 'U95')
}

/** An RE2 rewrite (`\1`, `\\`) as a Java replacement (`$1`, `\\`, `\$`). */
export function javaReplacement(text: string): string {
  let out = ''
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!
    const next = text[i + 1]
    if (c === '\\' && next !== undefined && /\d/.test(next)) {
      out += `$${next}`
      i++
      // A digit that follows would belong to the group's number.
      const after = text[i + 1]
      if (after !== undefined && /\d/.test(after)) {
        out += `\\${after}`
        i++
      }
    } else if (c === '\\' && next === '\\') {
      out += '\\\\'
      i++
    } else out += c === '$' || c === '\\' ? `\\${c}` : c
  }
  return out
}
