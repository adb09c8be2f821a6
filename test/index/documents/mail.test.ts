import fc from 'fast-check';
import iconv from 'iconv-lite';
import { expect, test } from 'vitest';
import { outline, readBytes } from '../../fixtures/read.ts';

/** A message with these header lines and this text. */
function mail(text: string, ...headers: string[]): string {
  return ['From: Anna <anna@example.org>', 'Subject: Plans', ...headers, '', text].join('\r\n');
}

const textOf = async (message: string | Buffer) => outline((await readBytes('a.eml', message)).documents);

test('reads subject, people, date and text', async () => {
  const message = mail(
    'Hello Bob,\r\n\r\nwe meet on Friday.',
    'To: Bob <bob@example.org>, carl@example.org',
    'Date: Mon, 5 Jan 2026 10:00:00 +0200 (CEST)',
    'Message-ID: <5@example.org>',
  );
  const { documents, notices } = await readBytes('inbox/a.eml', message);
  expect(documents).toMatchObject([
    {
      source: 'inbox/a.eml',
      title: 'Plans',
      metadata: {
        from: 'Anna <anna@example.org>',
        to: ['Bob <bob@example.org>', 'carl@example.org'],
        date: '2026-01-05T08:00:00.000Z',
        'message-id': '5@example.org',
      },
    },
  ]);
  expect(outline(documents)).toContain('we meet on Friday.');
  expect(notices).toEqual([]);
});

test('takes a date without a time zone for UTC', async () => {
  const { documents } = await readBytes('a.eml', mail('Text.', 'Date: Mon, 5 Jan 2026 10:00:00'));
  expect(documents[0]!.metadata!.date).toBe('2026-01-05T10:00:00.000Z');
});

const texts: [string, string][] = [
  ['gb18030', '会议改到星期三下午三点。'],
  ['iso-2022-jp', '会議は水曜日に変更されました。'],
  ['koi8-r', 'Встреча перенесена на среду.'],
  ['windows-1252', 'Das kostet 10 € – “später”.'],
  ['big5', '會議改到星期三。'],
  ['euc-kr', '회의가 수요일로 변경되었습니다.'],
];
/** ISO-2022-JP is not in iconv-lite. */
const encode = (text: string, charset: string) =>
  charset === 'iso-2022-jp'
    ? Buffer.from('\x1b$B2q5D$O?eMKF|$KJQ99$5$l$^$7$?!#\x1b(B', 'latin1')
    : iconv.encode(text, charset);

test.each(texts)('reads text and subject in %s', async (charset, text) => {
  const bytes = encode(text, charset);
  const base64 = bytes.toString('base64');
  const quoted = [...bytes].map((byte) => `=${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('');
  for (const [encoding, body] of [
    ['8bit', bytes],
    ['base64', Buffer.from(base64)],
    ['quoted-printable', Buffer.from(quoted)],
  ] as const) {
    const headers = [
      `Subject: =?${charset}?B?${base64}?=`,
      `Content-Type: text/plain; charset=${charset}`,
      `Content-Transfer-Encoding: ${encoding}`,
      '\r\n',
    ];
    const { documents } = await readBytes('a.eml', Buffer.concat([Buffer.from(headers.join('\r\n')), body]));
    expect(documents[0]!.title).toBe(text);
    expect(outline(documents)).toBe(text);
  }
});

test('reads headers that are in the charset of the body without saying so', async () => {
  const headers = 'Subject: Перенос встречи\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\nВстреча.';
  const { documents } = await readBytes('a.eml', iconv.encode(headers, 'koi8-r'));
  expect([documents[0]!.title, outline(documents)]).toEqual(['Перенос встречи', 'Встреча.']);
});

test('keeps quoted text once, under the line that introduces it', async () => {
  const message = mail(`Friday is fine.

On Mon, Jan 5, 2026 at 10:00 AM Bob Smith
<bob@example.org> wrote:
> Shall we meet on Friday? I would
> bring the plans.
>
>> When do you have time?
>
> -- 
> Bob Smith, Head of Planning

-- 
Anna`);
  expect((await textOf(message)).replace(/\s+/g, ' ')).toBe(
    [
      'Friday is fine.',
      '## On Mon, Jan 5, 2026 at 10:00 AM Bob Smith <bob@example.org> wrote:',
      'Shall we meet on Friday? I would bring the plans.',
      'When do you have time?',
    ].join(' '),
  );
});

test('keeps the order of questions and answers', async () => {
  const message = mail(
    '> Where do we meet?\n\nIn the office on the second floor.\n\n> When do we meet?\n\nAt noon, if you like.',
  );
  expect((await textOf(message)).split('\n')).toEqual([
    'Where do we meet?',
    'In the office on the second floor.',
    'When do we meet?',
    'At noon, if you like.',
  ]);
});

test.each([
  ['English', 'From: Bob\nSent: Monday, 5 January 2026\nTo: Anna\nSubject: Plans'],
  ['German', 'Von: Bob\nGesendet: Montag, 5. Januar 2026\nAn: Anna\nBetreff: Pläne'],
  ['French', 'De : Bob\nEnvoyé : lundi 5 janvier 2026\nÀ : Anna\nObjet : Plans'],
  ['Chinese', '发件人: Bob\n发送时间: 2026年1月5日\n收件人: Anna\n主题: 计划'],
  ['Japanese', '差出人: Bob\n送信日時: 2026年1月5日\n宛先: Anna\n件名: 計画'],
  ['Russian', 'От: Bob\nОтправлено: 5 января 2026\nКому: Anna\nТема: Планы'],
  ['unknown', '----- Opprinnelig melding -----\nAvsender: Bob\nDato: 5. januar 2026'],
])('finds the message below the headers of Outlook in %s', async (_, block) => {
  const message = mail(
    `That is fine with me.\n\n${block}\n\nShall we meet in the office?\n`,
    'Content-Type: text/plain; charset=utf-8',
  );
  const headers = block.replace(/^-.*\n/, '').replaceAll('\n', ' ');
  expect(await textOf(message)).toBe(`That is fine with me.\n## ${headers}\nShall we meet in the office?`);
});

test('leaves out quotes of own sentences, and what PGP adds', async () => {
  const message = mail(`-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

We meet on Friday in the office.

> We meet on
> Friday in the office.
-----BEGIN PGP SIGNATURE-----

iQEzBAEBCAAdFiEE
-----END PGP SIGNATURE-----`);
  expect(await textOf(message)).toBe('We meet on Friday in the office.');
});

test.each([
  [
    'Gmail',
    '<div class="gmail_quote"><div>Bob wrote:</div><blockquote>Shall we?</blockquote></div>',
    'Bob wrote:\nShall we?',
  ],
  ['Thunderbird', '<blockquote type="cite">Shall we?</blockquote>', 'Shall we?'],
  ['Outlook', '<div id="divRplyFwdMsg"><b>From:</b> Bob</div><div>Shall we?</div>', 'From: Bob\nShall we?'],
])('reads messages in HTML as %s writes them', async (_, quote, quoted) => {
  const html = `<div>Yes, we do.</div><div class="gmail_signature">Anna</div>${quote}`;
  expect(await textOf(mail(html, 'Content-Type: text/html'))).toBe(`Yes, we do.\n${quoted}`);
});

const alternative = (plain: string, html: string) =>
  mail(
    `--b\r\nContent-Type: text/plain\r\n\r\n${plain}\r\n--b\r\nContent-Type: text/html\r\n\r\n${html}\r\n--b--`,
    'Content-Type: multipart/alternative; boundary=b',
  );

test('reads one of plain text and HTML', async () => {
  expect(await textOf(alternative('We meet today.', '<p>We meet <b>today</b>.'))).toBe('We meet today.');
  const long = 'We meet on Friday in the office to talk about the plans for the next year. '.repeat(3).trim();
  expect(await textOf(alternative('Your program cannot show it.', `<p>${long}`))).toBe(long);
});

test('reads attached files by their own formats', async () => {
  const part = (headers: string, body: string) => `--b\r\n${headers}\r\n\r\n${body}\r\n`;
  const file = (type: string, name: string) =>
    `Content-Type: ${type}\r\nContent-Disposition: attachment; filename="${name}"`;
  const message = mail(
    [
      part('Content-Type: text/plain', 'See the files.'),
      part(file('text/html', '../page.html'), '<title>Page</title><p>On the page.'),
      part(file('text/plain', 'notes.txt'), 'First notes.'),
      part(file('text/plain', 'notes.txt'), 'Second notes.'),
      part(file('text/html', 'noname'), '<p>HTML by its type.'),
      part('Content-Type: message/rfc822', 'From: bob@example.org\r\nSubject: Inner\r\n\r\nInner text.'),
      part(file('application/octet-stream', 'photo.raw'), 'x'),
      part('Content-Type: image/png\r\nContent-Disposition: inline', 'x'),
      '--b--',
    ].join(''),
    'Content-Type: multipart/mixed; boundary=b',
  );
  const { documents, notices } = await readBytes('a.eml', message);
  expect(documents.map(({ source, title }) => [source, title])).toEqual([
    ['a.eml', 'Plans'],
    ['a.eml/page.html', 'Page'],
    ['a.eml/notes.txt', undefined],
    ['a.eml/2/notes.txt', undefined],
    ['a.eml/noname', undefined],
    ['a.eml/attachment.eml', 'Inner'],
  ]);
  expect(notices).toEqual([{ kind: 'skipped', place: 'a.eml/photo.raw', reason: 'unknown format .raw' }]);
});

test('indexes the subject of a message without text', async () => {
  expect(await textOf('From: anna@example.org\nSubject: Lunch at noon?\n\n')).toBe('Lunch at noon?');
});

test('reports messages that are no messages, empty, encrypted or too large', async () => {
  const reasonOf = async (message: string | Buffer) => (await readBytes('a.eml', message)).notices[0]?.reason;
  expect(await reasonOf('')).toBe('damaged');
  expect(await reasonOf('Some text\nwithout headers.')).toBe('damaged');
  expect(await reasonOf('From: anna@example.org\n\n')).toBe('no text');
  expect(await reasonOf(mail('MIIB', 'Content-Type: application/pkcs7-mime'))).toBe('encrypted');
  expect(await reasonOf(mail('\n'.repeat(2_100_000)))).toBe('too large');
  expect(await reasonOf(mail('--b\n'.repeat(60_000), 'Content-Type: multipart/mixed; boundary=b'))).toBe(
    'too large',
  );
});

test('never loses what a sender wrote, and never fails', async () => {
  const line = fc.oneof(
    fc.constantFrom(
      '> quoted',
      '>> twice',
      '-- ',
      '',
      'On 5 May Bob wrote:',
      'From: a',
      'To: b',
      'Subject: c',
      '-----x-----',
    ),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 20 }), async (lines) => {
      const { documents, notices } = await readBytes(
        'a.eml',
        mail(['Unique first sentence.', ...lines].join('\n')),
      );
      expect(notices).toEqual([]);
      expect(outline(documents)).toContain('Unique first sentence.');
    }),
  );
});
