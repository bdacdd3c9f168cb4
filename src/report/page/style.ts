import { cssVariables } from '../../charts/theme.ts'

const light = `${cssVariables('light')};--page:#f5f6f9;--soft:#eef1f7;--shadow:0 1px 2px #1c223010,0 4px 16px #1c22300a;color-scheme:light`
const dark = `${cssVariables('dark')};--page:#0e121a;--soft:#1f2635;--shadow:none;color-scheme:dark`

/** The page's style sheet: light and dark by the reader's setting or the button, printable, down to telephones. */
export const style = `
:root{${light}}
@media (prefers-color-scheme:dark){:root:not([data-theme=light]){${dark}}}
:root[data-theme=dark]{${dark}}
*{box-sizing:border-box}
html{scroll-behavior:smooth;scroll-padding-top:4rem}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
main,header>div,footer{max-width:1120px;margin:0 auto;padding:0 24px}
h1{font-size:2.1rem;line-height:1.15;margin:0 0 .6rem;letter-spacing:-.02em}
h2{font-size:1.35rem;margin:0 0 .2rem;letter-spacing:-.01em}
h3{font-size:1rem;margin:0 0 .5rem}
p{margin:0 0 .8rem}
a{color:var(--accent)}
code,pre,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.875em}
pre{background:var(--soft);border-radius:8px;padding:14px 16px;margin:0 0 .8rem;white-space:pre-wrap}
nav{position:sticky;top:0;z-index:2;background:var(--paper);border-bottom:1px solid var(--grid)}
nav div{max-width:1120px;margin:0 auto;padding:0 24px;display:flex;gap:20px;align-items:center;height:48px;overflow-x:auto;scrollbar-width:none}
nav a{color:var(--muted);text-decoration:none;white-space:nowrap;font-size:.9rem}
nav a:hover,nav a:focus{color:var(--ink)}
nav b{white-space:nowrap}
nav button{margin-left:auto;background:none;border:1px solid var(--grid);border-radius:999px;color:var(--muted);font:inherit;font-size:.85rem;padding:3px 12px;cursor:pointer;white-space:nowrap}
nav button:hover{color:var(--ink)}
header{padding:48px 0 8px}
.kicker{color:var(--muted);font-size:.95rem;margin-bottom:.4rem}
.lead{font-size:1.2rem;line-height:1.5;max-width:46em}
.lead strong{font-weight:650}
td.mono{white-space:nowrap}
.muted{color:var(--muted)}
.small{font-size:.875rem}
section{background:var(--paper);border-radius:14px;box-shadow:var(--shadow);border:1px solid var(--grid);padding:26px 28px;margin:22px 0}
section>.muted{max-width:48em}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:14px;margin:26px 0 4px}
.tile{background:var(--paper);border:1px solid var(--grid);border-radius:12px;padding:14px 16px 12px;box-shadow:var(--shadow)}
.tile .name{color:var(--muted);font-size:.85rem}
.tile .value{font-size:1.75rem;font-weight:650;letter-spacing:-.02em;line-height:1.25;font-variant-numeric:tabular-nums}
.tile .range{color:var(--muted);font-size:.8rem;font-variant-numeric:tabular-nums}
.badge{display:inline-block;border-radius:999px;padding:2px 11px;font-size:.85rem;font-weight:600;border:1px solid currentColor}
.good{color:var(--good)}.bad{color:var(--bad)}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:26px 34px;margin-top:18px}
.grid>*{min-width:0}
.grid>figure{max-width:600px}
figure{margin:0}
figure svg{display:block;width:100%;height:auto}
figure.broad svg{min-width:560px}
figure.natural svg{width:auto;max-width:100%}
figcaption{font-weight:600;margin-bottom:2px}
figcaption span{display:block;font-weight:400;color:var(--muted);font-size:.875rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th{text-align:left;color:var(--muted);font-weight:500;font-size:.82rem}
th,td{overflow-wrap:break-word;max-width:32em;padding:6px 14px 6px 0;border-bottom:1px solid var(--grid);vertical-align:top}
tr:last-child>td,tbody tr:last-child>th{border-bottom:0}
td.n,th.n{text-align:right;white-space:nowrap}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,232px),1fr));gap:14px;margin-top:16px}
.card{border:1px solid var(--grid);border-radius:10px;padding:12px 14px;min-width:0;font-size:.85rem}
.card h3{font-size:.95rem;margin:0;display:flex;justify-content:space-between;gap:8px;align-items:baseline}
.card h3 span{font-weight:400;color:var(--muted);font-size:.78rem;white-space:nowrap}
.card svg{display:block;width:100%;height:auto;margin:8px 0 4px}
.card dl{display:grid;grid-template-columns:auto 1fr;gap:0 12px;margin:6px 0 0}
.card dt{color:var(--muted)}.card dd{margin:0;text-align:right;font-variant-numeric:tabular-nums}
.worst .card{padding:0;overflow:hidden;display:flex;flex-direction:column}
.worst .verdict{padding:10px 14px;border-top:1px solid var(--grid);margin-top:auto;background:var(--soft)}
.worst .body{padding:12px 14px;max-height:264px;overflow:auto}
.worst .picture{background:var(--soft);display:flex;justify-content:center;padding:12px}
.worst img{display:block;height:150px;max-width:100%;object-fit:contain;image-rendering:auto;border-radius:4px}
.worst img.small-picture{image-rendering:pixelated}
.worst blockquote{margin:0;white-space:pre-wrap}
.missing{height:5px;border-radius:3px;background:var(--soft);overflow:hidden;margin-top:6px}
.missing i{display:block;height:100%;background:var(--bad)}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:.85rem;margin-top:8px}
.legend i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px;vertical-align:-1px}
details{margin-top:16px}
summary{cursor:pointer;color:var(--accent)}
details[open]>summary{margin-bottom:10px}
aside.notes{border-left:4px solid var(--accent);background:var(--paper);border-radius:4px 12px 12px 4px;padding:14px 20px;margin:22px 0;box-shadow:var(--shadow)}
aside.notes h2{font-size:1rem}aside.notes ul{margin:0;padding-left:1.2em}
footer{color:var(--muted);font-size:.85rem;padding-top:8px;padding-bottom:48px}
@media (max-width:560px){
main,header>div,footer,nav div{padding-left:14px;padding-right:14px}
header{padding-top:26px}h1{font-size:1.6rem}.lead{font-size:1.06rem}
section{padding:18px 16px;border-radius:12px;margin:14px 0}
.tiles{grid-template-columns:repeat(2,minmax(0,1fr));gap:10px}.tile{padding:10px 12px}.tile .value{font-size:1.4rem}
.wide td,.wide th{padding-right:10px}
}
@media print{
:root,:root[data-theme=dark]{${light};--page:#fff}
nav{display:none}body{font-size:12px;background:#fff}header{padding-top:0}
section,.tile,.card{box-shadow:none;break-inside:avoid}section{padding:12px 0;border:0;border-top:1px solid var(--grid);border-radius:0}
section.long{break-inside:auto}
.worst .body{max-height:none}
}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
`

/** The whole script of the page: a button for light and dark. */
export const script = `const r=document.documentElement,b=document.getElementById('theme');
const d=()=>r.dataset.theme?r.dataset.theme==='dark':matchMedia('(prefers-color-scheme: dark)').matches;
const s=()=>{b.textContent=d()?'Light':'Dark'};
b.hidden=false;s();b.onclick=()=>{r.dataset.theme=d()?'light':'dark';s()};`
