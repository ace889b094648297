#include "style.h"

static const char colours[] =
    ":root{--paper:#fbfbfa;--card:#fff;--text:#1d242c;--quiet:#5b6570;--line:#e4e7eb;--link:#1f6ea8}\n"
    "@media screen and (prefers-color-scheme:dark){:root{--paper:#12161b;--card:#191f26;--text:#e3e8ee;--quiet:#9aa6b2;"
    "--line:#2b333d;--link:#7fbdec}}\n";

static const char text[] =
    "*{box-sizing:border-box}\n"
    "html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}\n"
    "body{margin:0 auto;padding:2.5rem 1.25rem 4rem;max-width:74rem;background:var(--paper);color:var(--text);"
    "font:1rem/1.55 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\",\"Noto Sans\",sans-serif;"
    "overflow-wrap:anywhere}\n"
    "h1{font-size:clamp(1.7rem,4vw,2.4rem);line-height:1.15;letter-spacing:-.02em;margin:0 0 .4rem}\n"
    "h2{font-size:1.4rem;line-height:1.25;letter-spacing:-.01em;margin:0 0 .35rem;scroll-margin-top:1rem}\n"
    "h3{font-size:1.05rem;margin:1.6rem 0 .4rem}\n"
    "p{margin:0 0 .8rem}\n"
    ".lead,header p{color:var(--quiet);max-width:46rem}\n"
    "a{color:var(--link);text-decoration-thickness:1px;text-underline-offset:.15em}\n"
    "a:focus-visible,.scroll:focus-visible{outline:2px solid var(--link);outline-offset:2px}\n"
    "time,.option{white-space:nowrap}\n"
    "code{font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}\n"
    "section{border-top:1px solid var(--line);margin-top:3rem;padding-top:2rem}\n"
    "nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;margin:1.2rem 0 0;padding:0}\n"
    "nav a{text-decoration:none}nav a:hover{text-decoration:underline}\n"
    "footer{border-top:1px solid var(--line);margin-top:3rem;padding-top:1rem;color:var(--quiet);font-size:.875rem}\n";

static const char boxes[] =
    ".tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,8.6rem),1fr));gap:.75rem;"
    "margin:1.2rem 0}\n"
    ".tiles div{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.7rem .9rem}\n"
    ".tiles dt{color:var(--quiet);font-size:.8125rem}\n"
    ".tiles dd{margin:0;font-size:1.35rem;font-weight:600;letter-spacing:-.01em;font-variant-numeric:tabular-nums}\n"
    ".figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,27rem),1fr));gap:1.25rem;"
    "margin:1.2rem 0}\n"
    "figure{margin:0;padding:1rem;background:var(--card);border:1px solid var(--line);border-radius:.5rem;min-width:0;"
    "display:flex;flex-direction:column}\n"
    "figure:last-child:nth-child(odd){grid-column:1/-1}\n"
    "figure svg{display:block;overflow:visible;width:100%;height:auto;max-width:35rem;margin:0 auto}\n"
    "figure svg text{font-family:system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\",\"Noto "
    "Sans\",sans-serif;"
    "unicode-bidi:plaintext}\n"
    "figcaption{font-size:.875rem;color:var(--quiet);margin-top:.6rem}\n"
    "figcaption p{margin:0}figcaption b{color:var(--text);font-weight:600}\n"
    ".how{margin-top:.3rem;opacity:.85}\n"
    ".scroll{overflow-x:auto;margin:1.2rem 0;background:var(--card);border:1px solid var(--line);"
    "border-radius:.5rem}\n"
    "table{border-collapse:collapse;width:100%;font-size:.9rem;overflow-wrap:normal}\n"
    "caption{text-align:left;padding:.8rem 1rem .4rem;font-weight:600}\n"
    "th,td{padding:.35rem 1rem;text-align:left;border-top:1px solid var(--line);vertical-align:top}\n"
    "thead th{border-top:0;color:var(--quiet);font-weight:500;white-space:nowrap}\n"
    "td:first-child{min-width:8rem}\n"
    ".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
    ".pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,27rem),1fr));gap:0 1.25rem;"
    "align-items:start}.pair>*{min-width:0}\n"
    ".finding{padding:1rem;background:var(--card);border:1px solid var(--line);border-radius:.5rem;min-width:0}\n"
    ".finding h3{margin:0}.finding dl{margin:.6rem 0 0;font-size:.875rem}\n"
    ".finding dl div{display:flex;justify-content:space-between;gap:1rem;padding:.2rem 0;"
    "border-top:1px solid var(--line)}\n"
    ".finding dt{color:var(--quiet)}.finding dd{margin:0;white-space:nowrap;font-variant-numeric:tabular-nums}\n"
    ".grade{font-size:.75rem;font-weight:600;padding:.1rem .55rem;border-radius:1rem;border:1px solid currentColor;"
    "vertical-align:.1em;margin-left:.3rem;color:var(--quiet)}\n"
    ".fine{color:var(--accent)}.watch{color:var(--gold)}.costly{color:var(--negative)}\n"
    ".none{color:var(--quiet);font-style:italic}\n";

static const char media[] =
    "@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}\n"
    "@media (max-width:40rem){body{padding:1.5rem .65rem 3rem}figure{padding:.5rem}figcaption{padding:0 "
    ".3rem}th,td{padding:.35rem .7rem}"
    "caption{padding:.7rem .7rem .3rem}}\n"
    "@media print{body{max-width:none;padding:0;background:#fff;font-size:10pt}nav{display:none}"
    "figure,.tiles div{break-inside:avoid}h2,h3{break-after:avoid}.scroll{overflow:visible}"
    ".figures{grid-template-columns:1fr 1fr}a{color:inherit}}\n";

void mur_style(mur_buf *css)
{
    mur_buf_append_text(css, colours);
    mur_buf_append_text(css, text);
    mur_buf_append_text(css, boxes);
    mur_buf_append_text(css, media);
}
