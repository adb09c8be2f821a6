import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mailboxMessages } from '../../../index/documents/mail/mbox.ts';
import { outline, readBytes } from '../../fixtures/read.ts';

/** A message as a mailbox file contains it. */
function message(number: number, text: string, from = 'anna@example.org'): string {
  return [
    `From ${from} Mon Jan  5 10:0${number}:00 2026`,
    `From: ${from}`,
    `Subject: Message ${number}`,
    `Message-ID: <${number}@example.org>`,
    '',
    text,
    '',
    '',
  ].join('\n');
}

async function texts(...messages: string[]) {
  const { documents, notices } = await readBytes('list.mbox', messages.join(''));
  return { texts: documents.map((document) => outline([document]).replace(/\s+/g, ' ')), notices };
}

test('reads a document from each message', async () => {
  const { documents, notices } = await readBytes(
    'list.mbox',
    message(1, 'First text.') + message(2, 'Second text.'),
  );
  expect(documents).toMatchObject([
    { source: 'list.mbox', title: 'Message 1', metadata: { 'message-id': '1@example.org' } },
    { source: 'list.mbox', title: 'Message 2', metadata: { 'message-id': '2@example.org' } },
  ]);
  expect(new Set(documents.map(({ id }) => id)).size).toBe(2);
  expect(outline(documents)).toBe('First text.\nSecond text.');
  expect(notices).toEqual([]);
});

test('gives a message the same id wherever it is in the file', async () => {
  const [one, two] = [message(1, 'First text.'), message(2, 'Second text.')];
  const ids = async (text: string) => (await readBytes('a.mbox', text)).documents.map(({ id }) => id);
  expect((await ids(two + one)).reverse()).toEqual(await ids(one + two));
});

test('begins a message only at a From line after a blank line', async () => {
  const text =
    'From here it takes 10 minutes.\n\nFrom 10:30 we are there.\n\n>From the station, turn left.\n>>From above.';
  const found = await texts(message(1, `Text.\nFrom bob@example.org Mon Jan  5 10:00:00 2026\n${text}`));
  expect(found.texts.length).toBe(1);
  for (const line of ['From bob@', 'From here', 'From 10:30', 'From the station'])
    expect(found.texts[0]).toContain(line);
});

test('leaves out what another message contains, before or after', async () => {
  const reply = `On Mon, Jan 5, 2026 Anna wrote:
> How do I install the server? I tried the
> packages, but it does not start.

Enable the service.

> The log is empty.
> This was said in private only.
`;
  const question = `How do I install the server? I tried
the packages, but it does not start. The log is empty.

-- 
Anna
`;
  const expected = [
    'How do I install the server? I tried the packages, but it does not start. The log is empty.',
    'Enable the service. This was said in private only.',
  ];
  const again = 'I have the same problem.\n\n> This was said in private only.\n';
  const found = await texts(message(1, question), message(2, reply), message(3, again));
  expect(found.texts).toEqual([...expected, 'I have the same problem.']);
  const reversed = await texts(message(2, reply), message(1, question));
  expect(reversed.texts).toEqual(expected.toReversed());
});

test('reports bad messages and reads the rest', async () => {
  const bad = 'From anna@example.org Mon Jan  5 10:00:00 2026\nno headers\n\n';
  const deep = `From: a@example.org\nContent-Type: text/html\n\n${'<div>'.repeat(2000)}`;
  const found = await texts(
    message(1, 'First text.'),
    bad,
    message(1, 'First text.'),
    `From - Mon Jan  5 10:00:00 2026\n${deep}\n\n`,
    message(2, 'Second text.'),
  );
  expect(found.texts).toEqual(['First text.', 'Second text.']);
  expect(found.notices.map(({ kind, place, reason }) => `${kind} ${place}: ${reason}`)).toEqual([
    'failed list.mbox:message 2: damaged',
    'skipped list.mbox:message 3: duplicate message',
    'failed list.mbox:message 4: nested more than 512 levels deep',
  ]);
});

test('reads files attached to messages', async () => {
  const attached = `See the file.
--b
Content-Type: text/html
Content-Disposition: attachment; filename=page.html

<title>Page</title><p>On the page.
--b--`;
  const text = message(1, attached).replace('\n\n', '\nContent-Type: multipart/mixed; boundary=b\n\n');
  const { documents } = await readBytes('a.mbox', text.replace('See the file.', '--b\n\nSee the file.'));
  expect(documents.map(({ source }) => source)).toEqual(['a.mbox', `a.mbox/${documents[0]!.id}/page.html`]);
});

test('reports a file without messages', async () => {
  for (const content of ['', 'Some text.\n'.repeat(100)])
    expect((await readBytes('a.mbox', content)).notices).toMatchObject([
      { place: 'a.mbox', reason: 'damaged' },
    ]);
});

test('finds the same messages in pieces of any length', async () => {
  const file = Buffer.from(
    message(1, 'First text.\n>From here.') +
      message(2, '').replaceAll('\n', '\r\n') +
      message(3, 'x'.repeat(500)),
  );
  const read = async (length: number) => {
    const pieces = async function* () {
      for (let at = 0; at < file.length; at += length) yield file.subarray(at, at + length);
    };
    const found: (string | undefined)[] = [];
    for await (const { bytes } of mailboxMessages(pieces(), 400)) found.push(bytes?.toString());
    return found;
  };
  const whole = await read(file.length);
  expect(whole.length).toBe(3);
  expect(whole[0]).toBe(
    'From: anna@example.org\nSubject: Message 1\nMessage-ID: <1@example.org>\n\nFirst text.\nFrom here.\n\n',
  );
  expect(whole[2]).toBe(undefined);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: file.length }), async (length) => {
      expect(await read(length)).toEqual(whole);
    }),
  );
});
