// `npm run bench -- [NAME] [options]`: each benchmark is a file of this folder and prints a table, or JSON with --json. Without a name:
// the training steps.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = dirname(fileURLToPath(import.meta.url))
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.mjs') && file !== 'run.mjs')
  .map((file) => file.slice(0, -4))
const given = process.argv.slice(2)
const [name, ...rest] = given.length === 0 || given[0].startsWith('--') ? ['steps', ...given] : given
if (!names.includes(name)) {
  console.error(`npm run bench -- [NAME] [options], where NAME is one of ${names.join(', ')} (default steps)`)
  process.exit(2)
}
process.exit(spawnSync(process.execPath, [join(folder, `${name}.mjs`), ...rest], { stdio: 'inherit' }).status ?? 1)
