// Checks the package as a user would import it: every subpath of `exports` resolves and loads, the command starts, and
// `npm pack` would ship the build.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const { exports, bin } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
for (const subpath of Object.keys(exports).filter((each) => !each.endsWith('.json'))) {
  const module = await import(`fathom${subpath.slice(1)}`)
  if (Object.keys(module).length === 0) throw new Error(`fathom${subpath.slice(1)} exports nothing`)
}
const help = execFileSync('npx', ['fathom', '--help'], { encoding: 'utf8' })
if (!help.includes('fathom train')) throw new Error('npx fathom --help does not show its example')
const [packed] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' }),
)
const shipped = packed.files.map((file) => file.path)
for (const needed of [
  'dist/index.js',
  'dist/index.d.ts',
  bin.fathom,
  'native/addon.cpp',
  'scripts/build-native.mjs',
  'LICENSE',
]) {
  if (!shipped.includes(needed)) throw new Error(`npm pack leaves out ${needed}`)
}
console.log(`package: ${Object.keys(exports).length} exports, ${shipped.length} files`)
