import { execFile } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const run = promisify(execFile)
// Inside the package, so that 'fathom/…' is this package as built.
const scratch = join(root, 'build', `examples-${process.pid}`)
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

interface Example {
  readonly file: string
  readonly code: string
}

const markdown = ['', 'docs', 'src', 'native', 'examples/data']
  .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name)))
  .filter((file) => file.endsWith('.md'))
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8')
const blocks = (text: string): string[] => [...text.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code!)

/** Examples in docstrings use what their own folder exports, without importing it. */
async function docstringExamples(): Promise<Example[]> {
  const source = join(root, 'src')
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  const examples: Example[] = []
  for (const file of files.filter((each) => each.endsWith('.ts') && !each.endsWith('.test.ts'))) {
    for (const [, body] of readFileSync(join(source, file), 'utf8').matchAll(/^ *\* ```ts\n(.*?)^ *\* ```/gms)) {
      const code = body!.replaceAll(/^ *\* ?/gm, '')
      const folder = file.split('/')[0]!
      const exported = (await import(join(source, folder, 'index.ts'))) as Readonly<Record<string, unknown>>
      const names = [...new Set(code.match(/(?<!\.)\b[a-z]\w+(?=\()/gi))].filter((name) => name in exported)
      const imports = names.length === 0 ? '' : `import { ${names.join(', ')} } from 'fathom/${folder}'\n`
      examples.push({ file: `src/${file}`, code: imports + code })
    }
  }
  return examples
}

describe('documentation', () => {
  it('links to files that are there', () => {
    const dangling = markdown.flatMap((file) =>
      [...textOf(file).matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)]
        .map(([, target]) => target!)
        .filter((target) => !existsSync(resolve(root, dirname(file), target)))
        .map((target) => `${file}: ${target}`),
    )
    expect(dangling).toEqual([])
  })

  it('has examples whose types are right', async () => {
    const examples = [
      ...markdown.flatMap((file) => blocks(textOf(file)).map((code) => ({ file, code }))),
      ...(await docstringExamples()),
    ]
    expect(examples.length).toBeGreaterThan(5)
    const folder = join(scratch, 'types')
    mkdirSync(folder, { recursive: true })
    examples.forEach(({ file, code }, i) => writeFileSync(join(folder, `${i}.ts`), `// ${file}\n${code}\nexport {}\n`))
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: relative(folder, join(root, 'tsconfig.json')),
        compilerOptions: { lib: ['ES2023'], noEmit: true },
        include: ['*.ts'],
      }),
    )
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    const result = await run(process.execPath, [compiler, '-p', folder]).catch(
      (error: unknown) => error as { stdout: string },
    )
    const wrong = result.stdout.replaceAll(/[^\s(]*?(\d+)\.ts(?=\()/g, (_, i: string) => examples[Number(i)]!.file)
    expect(wrong).toBe('')
  })

  it('has a first example that runs', async () => {
    const [example] = blocks(textOf('README.md'))
    mkdirSync(scratch, { recursive: true })
    const file = join(scratch, 'readme.mjs')
    writeFileSync(file, example!.replace("preset: 'fast'", "preset: 'fast', epochs: 2"))
    const folder = mkdtempSync(join(tmpdir(), 'fathom-docs-'))
    symlinkSync(join(root, 'examples'), join(folder, 'examples'))
    const { stdout } = await run(process.execPath, [file], { cwd: folder })
    expect(stdout).toContain('white')
    expect(stdout).toContain('rmse')
    expect(stdout).toContain('prediction')
    expect(stdout).toMatch(/binaryAccuracy: 1\b/)
    rmSync(folder, { recursive: true })
  })

  const temperatures = join(root, '../shared/data/timeseries/daily-min-temperatures.csv')
  it.skipIf(!existsSync(temperatures))('forecasts real temperatures better than "as today"', async () => {
    const [example] = blocks(textOf('docs/sequences.md'))
    mkdirSync(scratch, { recursive: true })
    const file = join(scratch, 'forecast.mjs')
    writeFileSync(file, example!)
    const folder = mkdtempSync(join(tmpdir(), 'fathom-docs-'))
    symlinkSync(temperatures, join(folder, 'daily-min-temperatures.csv'))
    const { stdout } = await run(process.execPath, [file], { cwd: folder })
    const [naive, ours] = [...stdout.matchAll(/([\d.]+) °C/g)].map(([, degrees]) => Number(degrees)) as [number, number]
    expect(naive).toBeCloseTo(2.6, 0)
    expect(ours).toBeLessThan(0.9 * naive)
    rmSync(folder, { recursive: true })
  })

  it('shows commands with options that exist', async () => {
    const helps = new Map<string, string>()
    const shown = [...markdown.map(textOf), readFileSync(join(root, 'examples/demo.mjs'), 'utf8')]
      .flatMap((text) => [...text.matchAll(/\bfathom (train|evaluate|predict|inspect|export|query) ([^\n`]*)/g)])
      .map(([, command, rest]) => ({ command: command!, rest: rest!.replace(/"[^"]*"|#.*$/g, '') }))
    expect(shown.length).toBeGreaterThan(8)
    for (const { command, rest } of shown) {
      if (!helps.has(command))
        helps.set(command, (await run(process.execPath, [join(root, 'bin/fathom.mjs'), command, '--help'])).stdout)
      for (const [flag] of rest.matchAll(/(?<=\s|^)--[a-z-]+/g))
        expect(helps.get(command), `fathom ${command} ${flag}`).toContain(flag)
    }
  })
})
