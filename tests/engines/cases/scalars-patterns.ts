import { QueryError } from '../../../src/core/index.ts'
import { call, type DataType, type ScalarFunction } from '../../../src/plan/index.ts'
import { type Case, type ExpectedType, scalarCases } from '../suite.ts'

const smile = '\u{1f600}'
const combining = 'e\u0301'
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const abc = Uint8Array.of(97, 98, 99)

/** A function of texts; digests and encodings are Python's. */
function of(
  name: ScalarFunction,
  types: readonly DataType[],
  result: ExpectedType,
  rows: readonly (readonly unknown[])[],
): readonly Case[] {
  return scalarCases(name, {
    types,
    result,
    rows: [...rows, [null, ...Array<unknown>(types.length - 1).fill('a'), null]],
  })
}
const string = ['string'] as const
const two = ['string', 'string'] as const

export const patterns = {
  concatWs: scalarCases('concatWs', {
    types: ['string', 'string', 'string'],
    result: 'string',
    rows: [
      ['-', 'a', 'b', 'a-b'],
      ['-', null, 'b', 'b'],
      ['-', null, null, ''],
      [null, 'a', 'b', null],
      ['-', '', 'b', '-b'],
    ],
  }),
  initcap: of('initcap', string, 'string', [
    ['hello wORLD', 'Hello World'],
    ['élan  vital', 'Élan  Vital'],
    ['', ''],
    ['a-b c', 'A-b C'],
  ]),
  ltrim: of('ltrim', two, 'string', [
    ['xxaxx', 'x', 'axx'],
    ['xyabc', 'yx', 'abc'],
    ['éa', 'é', 'a'],
  ]),
  rtrim: of('rtrim', two, 'string', [
    ['xxaxx', 'x', 'xxa'],
    [`a${smile}`, smile, 'a'],
  ]),
  left: scalarCases('left', {
    types: ['string', 'int32'],
    result: 'string',
    rows: [
      ['abc', 2, 'ab'],
      [`${smile}b`, 1, smile],
      ['abc', 0, ''],
      ['abc', -1, ''],
      ['abc', 9, 'abc'],
      [null, 1, null],
      ['a', null, null],
    ],
  }),
  right: scalarCases('right', {
    types: ['string', 'int32'],
    result: 'string',
    rows: [
      ['abc', 2, 'bc'],
      [`a${smile}`, 1, smile],
      ['abc', 0, ''],
      ['abc', -1, ''],
      ['abc', 9, 'abc'],
      [null, 1, null],
    ],
  }),
  lpad: scalarCases('lpad', {
    types: ['string', 'int32', 'string'],
    result: 'string',
    rows: [
      ['ab', 5, 'xy', 'xyxab'],
      ['abcdef', 3, 'x', 'abc'],
      [smile, 3, 'é', `éé${smile}`],
      [null, 3, 'x', null],
    ],
  }),
  rpad: scalarCases('rpad', {
    types: ['string', 'int32', 'string'],
    result: 'string',
    rows: [
      ['ab', 5, 'xy', 'abxyx'],
      ['abcdef', 3, 'x', 'abc'],
      [smile, 2, 'é', `${smile}é`],
      [null, 3, 'x', null],
    ],
  }),
  repeat: scalarCases('repeat', {
    types: ['string', 'int32'],
    result: 'string',
    rows: [
      ['ab', 3, 'ababab'],
      ['ab', 0, ''],
      ['ab', -1, ''],
      [null, 2, null],
    ],
  }),
  reverse: of('reverse', string, 'string', [
    ['abc', 'cba'],
    [`a${smile}b`, `b${smile}a`],
    [combining, '\u0301e'],
    ['', ''],
  ]),
  position: of('position', two, 'int64', [
    ['hello', 'l', 3],
    ['hello', 'z', 0],
    [`${smile}x`, 'x', 2],
    ['abc', '', 1],
    ['a.c', '.', 2],
  ]),
  translate: scalarCases('translate', {
    types: ['string', 'string', 'string'],
    result: 'string',
    rows: [
      ['abcb', 'ab', 'xy', 'xycy'],
      ['abc', 'ab', 'x', 'xc'],
      ['é', 'é', 'e', 'e'],
      [null, 'a', 'b', null],
    ],
  }),
  like: scalarCases(
    'like',
    {
      types: two,
      result: 'boolean',
      rows: [
        ['abc', 'a%', true],
        ['abc', 'a_', false],
        [smile, '_', true],
        ['A', 'a', false],
        ['a\nb', 'a%b', true],
        [null, 'a', null],
        ['', '%', true],
      ],
    },
    {
      types: string,
      result: 'boolean',
      of: (a) => call('like', a, '10\\%%'),
      rows: [
        ['10% off', true],
        ['100', false],
      ],
    },
  ),
  ilike: of('ilike', two, 'boolean', [
    ['ABC', 'a%', true],
    ['É', 'é', true],
    ['abc', 'B', false],
  ]),
  split: scalarCases('split', {
    types: two,
    result: 'nested',
    rows: [
      ['a,b,', ',', ['a', 'b', '']],
      ['', ',', ['']],
      ['a.b', '.', ['a', 'b']],
      ['a||b', '||', ['a', 'b']],
      [null, ',', null],
    ],
  }),
  regexExtractAll: scalarCases(
    'regexExtractAll',
    {
      types: string,
      result: 'nested',
      of: (a) => call('regexExtractAll', a, '[0-9]+', 0),
      rows: [
        ['a1b22', ['1', '22']],
        ['x', []],
        [null, null],
      ],
    },
    {
      types: string,
      result: 'nested',
      of: (a) => call('regexExtractAll', a, '([a-z])([0-9])', 2),
      rows: [['a1b2', ['1', '2']]],
    },
  ),
  regexSplit: scalarCases('regexSplit', {
    types: string,
    result: 'nested',
    of: (a) => call('regexSplit', a, '[,;] ?'),
    rows: [
      ['a, b;c', ['a', 'b', 'c']],
      ['a', ['a']],
      [null, null],
    ],
  }),
  regexEscape: scalarCases('regexEscape', {
    types: string,
    result: 'string',
    rows: [
      ['a.b*[c]\\', 'a\\.b\\*\\[c\\]\\\\'],
      ['{}()|^$+?', '\\{\\}\\(\\)\\|\\^\\$\\+\\?'],
      ['é-1', 'é-1'],
      [null, null],
    ],
  }),
  codePoint: of('codePoint', string, 'int32', [
    ['é', 233],
    [smile, 128512],
    ['', 0],
  ]),
  character: scalarCases('character', {
    types: ['int32'],
    result: 'string',
    rows: [
      [233, 'é'],
      [128512, smile],
      [65, 'A'],
      [null, null],
    ],
  }),
  normalize: of('normalize', string, 'string', [
    [combining, '\u00e9'],
    ['\u00e9', '\u00e9'],
    ['\u1100\u1161', '\uac00'],
  ]),
  levenshtein: of('levenshtein', two, 'int64', [
    ['kitten', 'sitting', 3],
    ['é', 'e', 1],
    ['äöü', 'aou', 3],
    ['', 'abc', 3],
    ['é', '', 1],
    [smile, smile, 0],
  ]),
  jaroSimilarity: of('jaroSimilarity', two, 'float64', [
    ['martha', 'marhta', 0.9444444444444445],
    ['dixon', 'dicksonx', 0.7666666666666666],
    ['äöü', 'äüö', 0.5555555555555555],
  ]),
  jaroWinklerSimilarity: of('jaroWinklerSimilarity', two, 'float64', [['martha', 'marhta', 0.9611111111111111]]),
  encode: of('encode', string, 'binary', [
    ['é', '0xc3a9'],
    ['', '0x'],
  ]),
  decode: scalarCases(
    'decode',
    {
      types: ['binary'],
      result: 'string',
      rows: [
        [bytes(`é${smile}`), `é${smile}`],
        [null, null],
      ],
    },
    { types: ['binary'], row: [Uint8Array.of(0xff)], error: QueryError },
  ),
  base64: scalarCases('base64', {
    types: ['binary'],
    result: 'string',
    rows: [
      [abc, 'YWJj'],
      [bytes(`é${smile}`), 'w6nwn5iA'],
      [null, null],
    ],
  }),
  unbase64: of('unbase64', string, 'binary', [
    ['YWJj', '0x616263'],
    ['', '0x'],
  ]),
  hex: scalarCases('hex', {
    types: ['binary'],
    result: 'string',
    rows: [
      [bytes(`é${smile}`), 'C3A9F09F9880'],
      [null, null],
    ],
  }),
  unhex: of('unhex', string, 'binary', [['C3a9', '0xc3a9']]),
  md5: of('md5', string, 'string', [
    ['', 'd41d8cd98f00b204e9800998ecf8427e'],
    [`é${smile}`, '62b3afe3b01f6f80152b567d9b216cde'],
  ]),
  sha1: of('sha1', string, 'string', [['abc', 'a9993e364706816aba3e25717850c26c9cd0d89d']]),
  sha256: of('sha256', string, 'string', [
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [`é${smile}`, '1184d1f608158eea09d297565575892231550c403aaa913008d867a97cfd5c76'],
  ]),
}
