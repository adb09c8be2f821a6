import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DefaultTheme, defineConfigWithTheme } from 'vitepress';
import { slugify } from './slug.ts';

const root = join(import.meta.dirname, '../..');
const { POLYSEEK_URL = 'http://localhost:8787', POLYSEEK_API_KEY } = process.env;

/** The navigation is the table of README.md: a group for each row. */
function sidebar() {
  const [, table = ''] = readFileSync(join(root, 'README.md'), 'utf8').split('## Documentation');
  return [...table.matchAll(/^\| ([a-z].*?) \| (.*) \|$/gm)].map(([, text = '', links = '']) => ({
    text: text[0]?.toUpperCase() + text.slice(1),
    items: [...links.matchAll(/\[(.+?)\]\((.+?)\)/g)].map(([, text = '', path = '']) => ({
      text,
      link: `/${path}`,
    })),
  }));
}

export default defineConfigWithTheme<DefaultTheme.Config & { apiKey?: string }>({
  title: 'polyseek',
  lang: 'en',
  srcDir: '..',
  srcExclude: ['build/**', 'cdk.out/**', 'cli/**', 'test/*/*/*/**'],
  rewrites: { 'README.md': 'index.md' },
  outDir: '../build/site',
  cacheDir: '../build/site-cache',
  ignoreDeadLinks: 'localhostLinks',
  head: [
    ['link', { rel: 'icon', href: 'data:,' }],
    // The default colour of a code block's language has too little contrast.
    ['style', {}, 'html:root { --vp-code-lang-color: var(--vp-c-text-2) }'],
    ['script', { type: 'module', src: `${POLYSEEK_URL}/widget.js` }],
  ],
  themeConfig: {
    sidebar: sidebar(),
    outline: 'deep',
    ...(POLYSEEK_API_KEY && { apiKey: POLYSEEK_API_KEY }),
  },
  markdown: {
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    anchor: { slugify },
    config(md) {
      // Only Markdown is on the site. A link to other files stays as text.
      md.core.ruler.push('links-to-code', ({ tokens }) => {
        for (const { children } of tokens) {
          let tag = 'a';
          for (const token of children ?? []) {
            const href = token.attrGet('href') ?? '';
            if (token.type === 'link_open') tag = /^[a-z]+:|^#|\.md(#|$)/.test(href) ? 'a' : 'span';
            if (token.type.startsWith('link_') && tag === 'span') {
              token.type = `span_${token.type.slice('link_'.length)}`;
              token.tag = tag;
              token.attrs = null;
            }
          }
        }
      });
    },
  },
  vite: { logLevel: 'error' },
  /** VitePress writes these copies in a way that Vite 8 ignores. A page's first load requests them. */
  buildEnd({ outDir }) {
    const assets = join(outDir, 'assets');
    for (const name of readdirSync(assets))
      if (/\.md\.[^.]+\.js$/.test(name))
        copyFileSync(join(assets, name), join(assets, name.replace(/\.js$/, '.lean.js')));
  },
});
