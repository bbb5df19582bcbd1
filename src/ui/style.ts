import { createHash } from 'node:crypto'

/** The one style sheet of all pages: system fonts, one column, light or dark as the reader has it. */
export const STYLE = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--paper:#f3f4f6;--card:#fff;--line:#8c959f;--rule:#d8dee4;
--accent:#0b5cad;--accent-ink:#fff;--bad:#a40e26;--bad-paper:#ffebe9}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa4af;--paper:#0d1117;--card:#161b22;--line:#6e7681;
--rule:#30363d;--accent:#6cb2ff;--accent-ink:#0d1117;--bad:#ff9a92;--bad-paper:#3d1418}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem 1rem;background:var(--paper);color:var(--ink);
font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{width:100%;max-width:26rem;padding:2rem;background:var(--card);border:1px solid var(--rule);border-radius:.75rem}
.brand{margin:0 0 1.25rem;font-weight:600;letter-spacing:.02em;color:var(--soft)}
h1{margin:0 0 .25rem;font-size:1.5rem;line-height:1.25}
p{margin:.25rem 0 1rem;overflow-wrap:anywhere}
.soft{color:var(--soft)}
.error{padding:.75rem 1rem;border:1px solid var(--bad);border-radius:.5rem;background:var(--bad-paper);color:var(--bad)}
form{margin:1.25rem 0 0}
form+form{margin-top:.75rem}
label,legend{font-weight:600;padding:0}
fieldset{margin:0 0 1.25rem;padding:0;border:0;min-width:0}
.choice{display:flex;gap:.6rem;align-items:baseline;margin:.35rem 0;font-weight:400}
.choice span{overflow-wrap:anywhere}
input[type=text],input[type=password]{display:block;width:100%;margin:.3rem 0 1rem;padding:.6rem .75rem;font:inherit;color:inherit;
background:var(--card);border:1px solid var(--line);border-radius:.5rem}
input[type=radio]{accent-color:var(--accent);margin:0}
button{width:100%;padding:.65rem 1rem;font:inherit;font-weight:600;cursor:pointer;border-radius:.5rem;
border:1px solid var(--accent);background:var(--accent);color:var(--accent-ink)}
button+button{margin-top:.75rem}
button.second{background:transparent;color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
details{margin:0 0 1rem}
summary{cursor:pointer;color:var(--accent)}
details[open] summary{margin-bottom:.75rem}
dl{display:grid;grid-template-columns:auto 1fr;gap:.35rem 1rem;margin:1rem 0}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
img{display:block;max-width:100%;height:auto;margin:0 auto 1rem;background:#fff;padding:.5rem;border-radius:.5rem}
code{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.9em;overflow-wrap:anywhere}
`

/** How a content security policy names the style sheet. */
export const STYLE_SOURCE = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`
