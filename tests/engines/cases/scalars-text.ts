import { scalarCases } from '../suite.ts'

/** A letter and a combining accent: two characters, one glyph. */
const combining = 'e\u0301'
const smile = '\u{1f600}'

/** Strings. Lengths and positions count code points; comparison and search are binary, no collation. */
export const text = {
  concat: scalarCases('concat', {
    types: ['string', 'string'],
    result: 'string',
    rows: [
      ['a', 'b', 'ab'],
      ['', '', ''],
      [null, 'b', null],
      [smile, combining, smile + combining],
    ],
  }),
  lower: scalarCases('lower', {
    types: ['string'],
    result: 'string',
    rows: [
      ['ÀBC', 'àbc'],
      ['ΑΩ', 'αω'],
      [null, null],
      ['', ''],
    ],
  }),
  upper: scalarCases('upper', {
    types: ['string'],
    result: 'string',
    rows: [
      ['àbc', 'ÀBC'],
      ['я', 'Я'],
      [null, null],
    ],
  }),
  trim: scalarCases('trim', {
    types: ['string'],
    result: 'string',
    rows: [
      ['  a b ', 'a b'],
      ['\ta', '\ta'],
      ['', ''],
      [null, null],
    ],
  }),
  length: scalarCases('length', {
    types: ['string'],
    result: 'int64',
    rows: [
      ['', 0],
      ['abc', 3],
      [smile, 1],
      [combining, 2],
      ['Straße', 6],
      [null, null],
    ],
  }),
  substring: scalarCases('substring', {
    types: ['string', 'int32', 'int32'],
    result: 'string',
    rows: [
      ['abcdef', 2, 3, 'bcd'],
      [`a${smile}b`, 2, 1, smile],
      [`${combining}x`, 1, 1, 'e'],
      ['abc', 3, 10, 'c'],
      ['abc', 4, 1, ''],
      [null, 1, 1, null],
    ],
  }),
  replace: scalarCases('replace', {
    types: ['string', 'string', 'string'],
    result: 'string',
    rows: [
      ['aXbX', 'X', '--', 'a--b--'],
      ['abc', '.', '-', 'abc'],
      ['abc', 'b', '', 'ac'],
      [null, 'a', 'b', null],
    ],
  }),
  contains: scalarCases('contains', {
    types: ['string', 'string'],
    result: 'boolean',
    rows: [
      ['abc', 'b', true],
      ['abc', '', true],
      ['abc', 'B', false],
      [null, 'b', null],
      ['100%', '%', true],
    ],
  }),
  startsWith: scalarCases('startsWith', {
    types: ['string', 'string'],
    result: 'boolean',
    rows: [
      ['abc', 'ab', true],
      ['abc', 'b', false],
      ['_a', '_', true],
      [null, 'b', null],
    ],
  }),
  endsWith: scalarCases('endsWith', {
    types: ['string', 'string'],
    result: 'boolean',
    rows: [
      ['abc', 'bc', true],
      ['abc', 'b', false],
      ['abc', null, null],
    ],
  }),
  regexMatch: scalarCases('regexMatch', {
    types: ['string'],
    result: 'boolean',
    of: (a) => a.matches('^[a-c]+\\d$'),
    rows: [
      ['abc1', true],
      ['xabc1', false],
      ['abc', false],
      [null, null],
    ],
  }),
  regexExtract: scalarCases('regexExtract', {
    types: ['string'],
    result: 'string',
    of: (a) => a.extract('([a-z]+)-(\\d+)', 2),
    rows: [
      ['ab-12', '12'],
      ['x ab-12 cd-34', '12'],
      ['none', null],
      [null, null],
    ],
  }),
  regexReplace: scalarCases('regexReplace', {
    types: ['string'],
    result: 'string',
    of: (a) => a.replaceMatches('[0-9]+', '#'),
    rows: [
      ['a1b22', 'a#b#'],
      ['ab', 'ab'],
      [null, null],
    ],
  }),
  splitPart: scalarCases('splitPart', {
    types: ['string'],
    result: 'string',
    of: (a) => a.splitPart('.', 2),
    rows: [
      ['a.b.c', 'b'],
      ['a', ''],
      ['a..c', ''],
      [null, null],
    ],
  }),
}
