import { createHash } from 'node:crypto'
import { type Content, type Html, html, raw } from './html.ts'
import { script, style } from './style.ts'

/** A section of a page. */
export interface Part {
  readonly id: string
  readonly title: string
  readonly content: Content
  /** May be split over printed pages. */
  readonly long?: boolean
}

export interface Page {
  readonly title: string
  /** What the page is: "report", "profile", "contract". */
  readonly kind: string
  /** The small line above the title. */
  readonly kicker: string
  /** The result in a sentence or two. */
  readonly lead: Content
  /** What stands under it: tiles. */
  readonly head: Content
  readonly notes?: readonly string[] | undefined
  readonly parts: readonly Part[]
  readonly footer: string
}

/** One self-contained page: no address outside it, light and dark, printable, no script but its own. */
export function shell({ title, kind, kicker, lead, head, notes: list, parts, footer }: Page): string {
  const policy = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-${createHash('sha256').update(script).digest('base64')}'; base-uri 'none'; form-action 'none'`
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="generator" content="Fathom" />
        <title>${title} · Fathom ${kind}</title>
        ${raw(`<style>${style}</style>`)}
      </head>
      <body>
        <nav aria-label="Sections">
          <div>
            <b>${title}</b>${parts.map(({ id, title }) => html`<a href="#${id}">${title}</a>`)}<button
              id="theme"
              type="button"
              hidden
            >
              Dark
            </button>
          </div>
        </nav>
        <header>
          <div>
            <p class="kicker">${kicker}</p>
            <h1>${title}</h1>
            <p class="lead">${lead}</p>
            ${head}
          </div>
        </header>
        <main>${notes(list)} ${parts.map(section)}</main>
        <footer>${footer}</footer>
        ${raw(`<script>${script}</script>`)}
      </body>
    </html> `
  return page.text
}

/** Figures in a row under the headline. */
export function figureTiles(
  tiles: readonly { readonly name: string; readonly value: string; readonly note?: string }[],
): Html {
  return html`<div class="tiles">
    ${tiles.map(
      ({ name, value, note }) =>
        html`<div class="tile">
          <div class="name">${name}</div>
          <div class="value">${value}</div>
          ${note === undefined ? '' : html`<div class="range">${note}</div>`}
        </div>`,
    )}
  </div>`
}

function section({ id, title, content, long }: Part): Html {
  return html`<section id="${id}" class="${long === true ? 'long' : ''}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${content}
  </section> `
}

function notes(list: readonly string[] | undefined): Content {
  if (list === undefined || list.length === 0) return ''
  return html`<aside class="notes" aria-labelledby="notes-title">
    <h2 id="notes-title">To know</h2>
    <ul>
      ${list.map((note) => html`<li>${note}</li>`)}
    </ul>
  </aside>`
}
