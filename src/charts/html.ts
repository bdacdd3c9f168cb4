import { escapeHtml } from './format.ts'
import { cssVariables } from './theme.ts'

/** A chart's SVG as a page of its own, light or dark as its reader's system is. No script, no address outside. */
export function toHtml(svg: string, title: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>:root{${cssVariables('light')}}@media (prefers-color-scheme:dark){:root{${cssVariables('dark')}}}body{margin:24px;background:var(--paper);color:var(--ink)}svg{display:block;max-width:100%;height:auto;margin:0 auto}</style>
</head>
<body>${svg}</body>
</html>
`
}
