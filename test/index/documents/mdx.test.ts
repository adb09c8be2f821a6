import { describe, expect, it } from 'vitest';
import { outline, readBytes } from '../../fixtures/read.ts';

const lines = async (text: string) => outline((await readBytes('a.mdx', text)).documents);

const PAGE = `---
title: Guide
tags: [a, b]
---
import Foo from './foo'
import {
  a,
} from 'b';

export const meta = {
  title: 'x',

  b: [1, 2],
}

# Hello {props.name} {/* note */}

<Callout title="Careful" type="x" {...props}>
  The **text** in it.

  - one
  - two
</Callout>

Inline <Badge text="x">new</Badge> thing {1 + 2} here.

{[1, 2].map((n) => <li>{n}</li>)}

<Tabs>
<TabItem value="a" label="npm">

\`\`\`js
const x = {a: 1}
import x from 'y'
\`\`\`

</TabItem>
</Tabs>

<h2 id="b">Next</h2>
`;

describe('MDX', () => {
  it('keeps the text in components, and their titles', async () => {
    const { documents } = await readBytes('a.mdx', PAGE);
    expect(outline(documents)).toBe(
      `# Hello
Careful
The text in it.
one
two
Inline new thing  here.
npm
const x = {a: 1}
import x from 'y'
## Next`,
    );
    expect(documents[0]).toMatchObject({ title: 'Guide', metadata: { tags: ['a', 'b'] } });
    expect(documents[0]?.blocks[0]?.anchor).toBe('hello');
  });

  it('is read as Markdown if it is not valid', async () => {
    expect(await lines(`${PAGE}\n<Bar>\n\n{oops\n`)).toContain('The text in it.\none\ntwo\nInline new thing');
    expect(await lines('import a from "b"\n\n# A\n\n5 < 6 and {b')).toBe('# A\n5 < 6 and {b');
  });

  it.each([
    ['closing braces', `a {"${'}'.repeat(20_000)}`],
    ['open parentheses', `a {${'('.repeat(20_000)}}`],
    ['blank lines in an export', `b\n\nexport const a = [\n${'1,\n\n'.repeat(10_000)}]\n\nc`],
    ['open elements', `a\n\n${'<b>\n'.repeat(400)}c`],
    ['attributes', `a\n\n<b ${'c={1} '.repeat(2_000)}/>`],
    ['a template', `a {\`${'}\n'.repeat(10_000)}`],
  ])('is read in spite of many %s', async (_, text) => {
    const { documents, notices } = await readBytes('a.mdx', text);
    expect(notices).toEqual([]);
    expect(documents[0]?.blocks[0]?.text).toMatch(/^[ab]/);
  });
});
