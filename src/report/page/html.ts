import { escapeHtml } from '../../charts/format.ts'

/** Markup that is known to be safe. Everything else is escaped when it enters a page. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export type Content = Html | string | number | undefined | null | false | readonly Content[]

/** Markup with holes: what is put into them is escaped unless it is markup itself. */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(strings.reduce((text, part, i) => text + render(values[i - 1]) + part))
}

/** Markup from a source that escapes by itself: charts. */
export function raw(text: string): Html {
  return new Html(text)
}

function render(content: Content): string {
  if (content === undefined || content === null || content === false) return ''
  if (content instanceof Html) return content.text
  if (typeof content === 'object') return content.map(render).join('')
  return escapeHtml(String(content))
}
