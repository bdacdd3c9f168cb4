// Peers from PyPI, each in a virtual environment of its own under .cache, and the scripts in ../peers that run them.
import { execFileSync } from 'node:child_process'
import { existsSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const scripts = join(dirname(fileURLToPath(import.meta.url)), '../peers')
const packages = {
  torch: ['torch==2.15.*', 'numpy'],
  keras: ['tensorflow-cpu==2.21.*', 'keras==3.15.*', 'numpy'],
}

/** The Python of a peer's environment, set up when it is absent: under another name first, so that a set-up cut short is not taken for one. */
export function python(peer) {
  const home = resolve('.cache/peers', peer)
  const executable = join(home, 'bin/python')
  if (existsSync(executable)) return executable
  process.stderr.write(`setting up ${packages[peer].join(' ')} in .cache/peers/${peer} (once)\n`)
  const making = `${home}.making`
  rmSync(making, { recursive: true, force: true })
  execFileSync('python3', ['-m', 'venv', making])
  execFileSync(join(making, 'bin/python'), ['-m', 'pip', 'install', '-q', ...packages[peer]], { stdio: 'inherit' })
  renameSync(making, home)
  return executable
}

/** Runs a script of ../peers and reads the last line it prints as JSON; undefined, with the reason on stderr, when it fails. */
export function runPeer(peer, script, args, environment = {}) {
  try {
    const printed = execFileSync(python(peer), [join(scripts, script), ...args.map(String)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    })
    return JSON.parse(printed.trim().split('\n').at(-1))
  } catch (error) {
    const reason = String(error.stderr ?? error)
      .trim()
      .split('\n')
      .at(-1)
    process.stderr.write(`${peer} ${args.join(' ')}: ${reason}\n`)
    return undefined
  }
}
