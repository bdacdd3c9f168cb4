#!/usr/bin/env node
// Starts the command from the build. Kept apart from it so that a missing build is a sentence, not a stack.
import { existsSync } from 'node:fs'

const entry = new URL('../dist/cli/main.js', import.meta.url)
if (existsSync(entry)) {
  const { main } = await import(entry.href)
  await main(process.argv.slice(2))
} else {
  process.stderr.write('fathom: the build is missing. Run "npm run build" in the package folder.\n')
  process.exitCode = 1
}
