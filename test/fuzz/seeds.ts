import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { unzipSync } from 'fflate';
import { buildDoubleArray, compileTokenizer } from '../../index/compile/compile-tokenizer.ts';
import { ENCODER } from '../../index/embedding/encoder.ts';
import { CHECKS, writeChecks } from '../../index/format/checks.ts';
import { FORMAT as MODEL_FORMAT } from '../../index/format/compiled-model.ts';
import { type Format, writeSections } from '../../index/format/container.ts';
import { GRAPH } from '../../index/format/graph-file.ts';
import { LANGUAGES } from '../../index/format/languages-file.ts';
import { KEYS, LOOKUP } from '../../index/format/lookup-file.ts';
import { INDEX_FILES, FORMAT as INDEX_FORMAT } from '../../index/format/manifest.ts';
import { PASSAGES } from '../../index/format/passages-file.ts';
import { ROW_KINDS, ROWS } from '../../index/format/rows-file.ts';
import { SENTENCES } from '../../index/format/sentences-file.ts';
import { TOKENIZER } from '../../index/format/tokenizer-file.ts';
import { TOKEN_CODES, TOKENS } from '../../index/format/tokens-file.ts';
import { writeAscending, writeList } from '../../index/format/varint.ts';
import { Cache } from '../../index/ingest/cache/cache.ts';
import { writeCurrent, writeGeneration } from '../../index/store/s3vectors/generation.ts';
import { HASHES } from '../../index/store/s3vectors/objects.ts';
import { encodeRow } from '../../index/store/s3vectors/row.ts';
import {
  graphFile,
  languagesFile,
  lookupFile,
  passagesFile,
  sentencesFile,
  tokensFile,
} from '../fixtures/files.ts';
import { FUNCTION_URL, httpEvent } from '../fixtures/lambda-events.ts';
import { docx, openDocument, paragraph, part, relations, xlsx } from '../fixtures/office.ts';
import { pdfFile } from '../fixtures/pdf-files.ts';
import { zipOf } from '../fixtures/zip.ts';
import { SEPARATOR } from './document-targets.ts';
import { CHECKED, SIZES, WORD } from './file-targets.ts';
import { sectionInputs, temporaryFile } from './target.ts';

const { dimensions, passages: count, parts } = SIZES;
const numbers = Array.from({ length: count }, (_, i) => i);
const vectors = numbers.map((n) =>
  Float32Array.from({ length: dimensions }, (_, i) => Math.sin(n * 7 + i) / 2),
);
const quantized = vectors.map((vector) => [Int8Array.from(vector, (value) => Math.round(value * 127))]);
const codes = numbers.map((n) => Uint8Array.from({ length: n * parts }, (_, i) => (i * 7 + n) % 16));
const passages = numbers.map((n) => ({
  id: `p${n}`,
  text: `${WORD} ${n}. More text.`,
  title: 'Title › Part',
  source: `folder/file${n}.md`,
  position: 0,
  lang: n % 2 ? 'en' : 'de',
  metadata: { year: 2000 + n, tags: ['a', 'b'], ok: true },
  sentences: [[0, 7]] as [number, number][],
}));
const links = numbers.map((n) => [numbers.filter((other) => other !== n), ...(n < 2 ? [[1 - n]] : [])]);
const records = new Map<string, Uint8Array>([
  [KEYS.term + WORD, Buffer.concat([writeList([0, 2, 5]), Buffer.of(1, 2, 3)])],
  [`${KEYS.field}lang\0en`, writeList([1, 3, 5])],
  [`${KEYS.duplicates}0`, writeList([0, 1])],
  [`${KEYS.id}p1`, writeAscending([1])],
  [
    KEYS.overview,
    Buffer.from('{"sources":[{"value":"a","passages":1}],"suggestions":[{"text":"q","lang":"en"}]}'),
  ],
]);

const bytesOf = (values: Float32Array | Uint32Array) => new Uint8Array(values.buffer);
const zeros = (length: number) => new Uint8Array(length);
const counts = { documents: 1, passages: count, sentences: count, terms: 9 };
const model = { name: 'm', hash: 'abc', neutral: null, tokens: null };
const file = { bytes: 9, crc32: '00000000' };
const indexFiles = Object.fromEntries(INDEX_FILES.slice(1, 6).map((name) => [name, file]));

/** The inputs for each file of sections. */
const sectionFiles: Record<string, [Format, Uint8Array]> = {
  graph: [GRAPH, graphFile({ entry: 0, links }, vectors)],
  sentences: [SENTENCES, sentencesFile(quantized)],
  languages: [
    LANGUAGES,
    languagesFile(
      passages.map(({ lang }) => lang),
      vectors,
      quantized,
    ),
  ],
  passages: [PASSAGES, passagesFile(passages)],
  lookup: [LOOKUP, lookupFile(records)],
  's3-lookup': [LOOKUP, lookupFile(records)],
  's3-hashes': [HASHES, writeSections(HASHES, [zeros(16 * count)])],
  tokens: [TOKENS, tokensFile(codes, parts)],
  checks: [CHECKS, checksFile()],
  'token-codes': [
    TOKEN_CODES,
    writeSections(
      TOKEN_CODES,
      [4, 4, 64].map((size) => zeros(size * dimensions)),
    ),
  ],
  tokenizer: [TOKENIZER, tokenizerFile()],
  encoder: [ENCODER, encoderFile()],
  rows: [ROWS, rowsFile('int8', 8)],
};

/** The checksums of a file of zeros. */
function checksFile(): Uint8Array {
  const bytes = Buffer.alloc(5000);
  const path = temporaryFile(CHECKED, bytes);
  writeChecks(dirname(path), [CHECKED]);
  return readFileSync(join(dirname(path), 'checks.bin'));
}

/** A file of a few pieces, and a character map of one character. */
function tokenizerFile(): Uint8Array {
  const map = buildDoubleArray([Buffer.from('ﬁ')], [0]);
  const pieces = ['<s>', '</s>', '<unk>', '\u2581', '\u2581wo', 'rd', 's', '東', 'e', '<mask>'];
  const special = (content: string) => ({
    id: pieces.indexOf(content),
    content,
    lstrip: content === '<mask>',
  });
  const size = Buffer.alloc(4);
  size.writeUInt32LE(map.byteLength);
  const charsmap = Buffer.concat([size, bytesOf(map), Buffer.from('fi\0')]);
  return compileTokenizer({
    added_tokens: ['<s>', '</s>', '<mask>'].map(special),
    normalizer: { type: 'Precompiled', precompiled_charsmap: charsmap.toString('base64') },
    pre_tokenizer: { type: 'Metaspace' },
    model: { type: 'Unigram', unk_id: 2, vocab: pieces.map((piece, i) => [piece, -i]) },
  });
}

/** A file of one layer. */
function encoderFile(): Uint8Array {
  const settings = new Uint32Array([64, 1, 2, 64, 1, 16, 0x2b8cbccc, 0]);
  const floats = new Float32Array(23 * 64).fill(0.5);
  return writeSections(ENCODER, [bytesOf(settings), bytesOf(floats), zeros(4 * 6 * 64), zeros(6 * 64 * 64)]);
}

function rowsFile(kind: keyof typeof ROW_KINDS, columns: number): Uint8Array {
  const settings = new DataView(new ArrayBuffer(16));
  settings.setUint16(0, ROW_KINDS[kind], true);
  settings.setUint32(4, columns, true);
  settings.setFloat32(8, 0.5, true);
  const size = { q4: columns / 2 + columns / 16, int8: columns, fp16: 2 * columns, fp32: 4 * columns }[kind];
  return writeSections(ROWS, [new Uint8Array(settings.buffer), zeros(9 * size), zeros(4 * columns * 4)]);
}

/** The bytes of a cache with three values. */
function cacheFile(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'polyseek-fuzz-cache-'));
  try {
    const cache = new Cache(folder);
    for (const key of ['a', 'b', 'c']) cache.put('kind', key, Buffer.from(key.repeat(9)));
    cache.close();
    const [name] = readdirSync(folder);
    return readFileSync(join(folder, name!));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const text = (...texts: string[]) => texts.map((one) => Buffer.from(one));
const json = (...values: unknown[]) => text(...values.map((value) => JSON.stringify(value)));

/** The input from which `document-targets.ts` makes a package, and the package itself. */
function packaged(file: Buffer): Buffer[] {
  const members = Object.entries(unzipSync(file)).flatMap(([name, content]) => [
    name,
    Buffer.from(content).toString('latin1'),
  ]);
  return [Buffer.from(members.join(SEPARATOR), 'latin1'), file];
}

const request = {
  q: 'renew a passport',
  k: 3,
  mode: 'hybrid',
  filter: { lang: ['en'], year: 2024 },
  minConfidence: 0.5,
};
const call = (method: string, params: object = {}) => ({ jsonrpc: '2.0', id: 1, method, params });
const segment = {
  id: '0a1b2c3d',
  rows: count,
  goneRows: 1,
  gone: 'AQE=',
  files: { 'lookup.bin': file, 'hashes.bin': file },
};
const mail = `From: Ann <ann@example.com>\nTo: bob@example.com\nSubject: =?utf-8?q?Trip?=\nDate: Mon, 1 Jan 2024 10:00:00 +0000\nMessage-ID: <1@example.com>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nThe ferry leaves at 8.=20\n\n> When?\n--b\nContent-Type: text/html\n\n<p>The ferry</p>\n--b\nContent-Type: text/csv; name=a.csv\nContent-Disposition: attachment; filename=a.csv\nContent-Transfer-Encoding: base64\n\nYSxiCjEsMgo=\n--b--\n`;
const page = `<!doctype html><html lang=en><head><meta charset=utf-8><title>Ferry</title></head><body><nav><a href=/a>A</a></nav><main><h1 id=x>Ferry</h1><p>The ferry <b>leaves</b> at 8.</p><ul><li>One<li>Two</ul><table><tr><th>A<th>B<tr><td>1<td>2</table><pre>code</pre><details><summary>S</summary>D</details></main><footer>F</footer></body></html>`;
const slides = zipOf({
  '_rels/.rels': relations(['a', 'officeDocument', 'ppt/presentation.xml']),
  'ppt/_rels/presentation.xml.rels': relations(['s', 'slide', 'slides/slide1.xml']),
  'ppt/presentation.xml': part('p:presentation', '<p:sldIdLst><p:sldId id="256" r:id="s"/></p:sldIdLst>'),
  'ppt/slides/slide1.xml': part(
    'p:sld',
    '<p:cSld><p:spTree><p:sp><p:nvSpPr><p:nvPr><p:ph type="title"/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>Ferry</a:t></a:r></a:p></p:txBody></p:sp></p:spTree></p:cSld>',
  ),
});
const book = zipOf({
  mimetype: 'application/epub+zip',
  'META-INF/container.xml':
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="c.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
  'c.opf':
    '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>Book</dc:title><dc:language>en</dc:language></metadata><manifest><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/><item id="n" href="n.xhtml" properties="nav" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="a"/></spine></package>',
  'a.xhtml':
    '<html xmlns="http://www.w3.org/1999/xhtml"><body><h1 id="h">One</h1><p>The ferry leaves.</p></body></html>',
  'n.xhtml':
    '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><body><nav epub:type="toc"><ol><li><a href="a.xhtml#h">One</a></li></ol></nav></body></html>',
});
const rowsXml =
  '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1"><v>2</v></c></row><row r="2"><c r="A2" t="inlineStr"><is><t>x</t></is></c><c r="B2" s="1"><v>45000</v></c></row>';
const tar = (name: string, content: string) => {
  const head = Buffer.alloc(512);
  head.write(name);
  head.write('0000644\0', 100);
  head.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  head.write('0', 156);
  head.write('ustar\x0000', 257);
  const sum =
    head.subarray(0, 148).reduce((a, b) => a + b, 0) + 8 * 32 + head.subarray(156).reduce((a, b) => a + b, 0);
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([head, Buffer.from(content.padEnd(512, '\0')), Buffer.alloc(1024)]);
};

const others: Record<string, Buffer[]> = {
  manifest: json({
    format: INDEX_FORMAT,
    model,
    dimensions,
    counts,
    languages: { en: 6 },
    fields: ['lang'],
    files: indexFiles,
  }),
  model: json({
    format: MODEL_FORMAT,
    ...{
      name: 'm',
      hash: 'h',
      neutral: null,
      mean: [0.5],
      tokens: { layer: 1, hash: 'h' },
      dimensions: 1,
      maxTokens: 9,
    },
    prefixes: { query: 'q: ', passage: 'p: ' },
    calibration: {
      lexical: { slope: 1, intercept: 0 },
      asks: { weights: [1], intercept: 0 },
      hybrid: { vectors: { weights: [1], intercept: 1 } },
    },
    ...{ engine: 'packed', optimize: false, files: {} },
  }),
  overview: [Buffer.from(records.get(KEYS.overview)!)],
  cache: [cacheFile()],
  config: json({
    sources: [
      'docs',
      { path: 'a', lang: 'en', fields: { text: ['a', 'b'] } },
      { sitemap: 'https://example.com/sitemap.xml' },
    ],
    index: 'i',
    tokens: 'auto',
  }),
  sitemap: text(
    '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>https://example.com/a</loc></url></urlset>',
    'https://example.com/a\n',
  ),
  set: text(
    '{"id":"p1","lang":"en","title":"t","text":"x"}\n\n{"id":"en-1","lang":"en","text":"q","relevant":["p1"]}',
  ),
  hnswlib: [hnswlibFile()],
  's3-generation': [
    writeGeneration({
      generation: 1,
      created: '2026-01-01T00:00:00Z',
      version: 'v',
      model,
      dimensions,
      counts: { ...counts, passages: 5 },
      fields: ['lang'],
      languages: [['en', 5]],
      segments: [segment],
      files: { 'languages.bin': file, 'overview.json': file, 'order.bin': file },
    }),
  ],
  's3-current': [
    writeCurrent({
      generation: 2,
      since: '2026-01-01T00:00:00Z',
      replaced: [{ generation: 1, until: '2026-01-01T00:00:00Z' }],
    }),
  ],
  's3-gone': [Buffer.concat([Buffer.of(2), writeList([1, 4])])],
  's3-row': [
    Buffer.from(
      encodeRow({ passage: passages[0]!, sentences: zeros(dimensions + 4), tokens: 3, blocks: zeros(16) }),
    ),
  ],
  's3-metadata': [
    ...json({ segment: '0a1b2c3d', fields: ['lang\0en'], row: '@40 100' }),
    ...text('0a1b2c3d/7', 'AAAA'),
  ],
  's3-journal': json({
    format: 1,
    owner: 'o',
    token: 't',
    expires: '2026-01-01T00:00:00Z',
    abandoned: [{ generation: 1, segment: '0a1b2c3d', rows: 1, written: 0 }],
    removing: [1],
  }),
  'request-query': text(
    'q=passport&k=3&lang=en&source=a/&mode=lexical&minConfidence=0.5&context=1&explain=true',
  ),
  'request-body': json(request, { ...request, history: [{ role: 'user', content: 'visa' }] }),
  'request-mcp': json(
    call('tools/list'),
    call('tools/call', { name: 'search', arguments: { query: 'x', k: 2 } }),
    call('tools/call', { name: 'fetch', arguments: { id: 'guides/passports.md#2' } }),
    call('initialize', {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'a', version: '1' },
    }),
  ),
  'request-path': text(
    'passages/guides%2Fpassports.md?context=2',
    'c/guides/search?q=a',
    'browser/c/guides/overview',
    '.well-known/oauth-protected-resource/mcp',
    'openapi.json',
    'mcp',
    'health',
    'widget.js',
  ),
  'request-headers': text(
    'content-type: application/json\norigin: https://example.com\nx-api-key: psb_a\n\n{"q":"a"}',
    'authorization: Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln\naccept: text/html\nhost: a\n\n{"q":"a"}',
  ),
  'request-event': json(
    httpEvent(FUNCTION_URL, { path: '/search?q=a' }),
    httpEvent(FUNCTION_URL, { method: 'POST', path: '/search', body: request, base64: true }),
    { q: 'a', collection: 'guides' },
  ),
  'build-event': json(
    { Records: [{ messageId: 'a', body: '{"source":"aws.s3"}' }] },
    { build: 'BUILDID', cause: 'events' },
    { continue: 'BUILDID' },
  ),
  'tokenizer-text': text('How do I renew a passport? ﬁles ½ <mask> </s> 東京 🙂 Größe'),
  words: text('Mr. Smith renews. 東京は大きい。 ภาษาไทย ง่าย Größe U.S. 12. Mai'),
  encoding: [
    ...text('utf-8\nGröße', 'utf-7\n+AOQ-', 'iso-2022-jp\n\x1b$B$3\x1b(B'),
    Buffer.from('shift_jis\n\x82\xa0\x82\xa2', 'latin1'),
    Buffer.from('\n\xff\xfeG\0r\0\xf6\0', 'latin1'),
  ],
  'document-txt': text(
    'FERRY\n\nThe ferry to the island leaves\nfrom pier three.\n\n1. One\n2. Two\n\n  a   b   c\n  1   2   3\n',
  ),
  'document-md': text(
    '---\ntitle: T\nlang: en\n---\n# Ferry {#x}\n\nThe *ferry* [leaves](a.md).\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> [!NOTE]\n> Hi\n\n- one\n  - two\n\n```js\ncode\n```\n\n<div>html</div>\n\n[^1]: note\n',
  ),
  'document-mdx': text('import A from "a"\n\n# Ferry\n\n<A b={1}>The {x} ferry</A>\n\nexport const y = 1\n'),
  'document-rst': text(
    'Ferry\n=====\n\n:Author: A\n\nThe *ferry* `leaves <a>`_.\n\n.. note:: Hi\n\n   there\n\n+---+---+\n| a | b |\n+===+===+\n| 1 | 2 |\n+---+---+\n\n=== ===\na   b\n=== ===\n1   2\n=== ===\n\n.. code:: py\n\n   x\n\n.. _t:\n\n* one\n',
  ),
  'document-srt': text(
    '1\n00:00:01,000 --> 00:00:02,000\nThe <i>ferry</i>\n\n2\n00:00:03,000 --> 00:00:04,000\nleaves.\n',
    'WEBVTT\n\nNOTE x\n\n00:01.000 --> 00:02.000 align:start\n<v Ann>The ferry\n',
  ),
  'document-adoc': text(
    '= Ferry\nAuthor\n:x: y\n\n== One [[a]]\n\nThe *ferry* {x} link:a[leaves].\n\n|===\n|a |b\n\n|1 |2\n|===\n\n* one\n** two\n\nNOTE: Hi\n\n----\ncode\n----\n\nifdef::x[]\nyes\nendif::[]\n',
  ),
  'document-1': text(
    '.TH FERRY 1\n.SH NAME\nferry \\- leaves\n.SH OPTIONS\n.TP\n.B \\-a\nThe \\fIferry\\fR\n.de X\n.B \\\\$1\n..\n.X hi\n.TS\nl l.\na\tb\n.TE\n.if n .br\n',
  ),
  'document-html': text(page),
  'document-pdf': [
    pdfFile([
      [
        { x: 72, y: 700, text: 'Ferry', size: 20 },
        { x: 72, y: 650, text: 'The ferry leaves from pier' },
        { x: 72, y: 636, text: 'three (at 8).' },
      ],
      [{ x: 72, y: 700, text: 'Page two' }],
    ]),
  ],
  'document-docx': packaged(
    docx(
      paragraph('Ferry', '<w:pStyle w:val="h"/>') +
        paragraph('The ferry leaves.') +
        '<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc></w:tr></w:tbl>',
      {
        styles: '<w:style w:type="paragraph" w:styleId="h"><w:name w:val="heading 1"/></w:style>',
        footnotes: '<w:footnote w:id="1"><w:p><w:r><w:t>n</w:t></w:r></w:p></w:footnote>',
      },
    ),
  ),
  'document-pptx': packaged(slides),
  'document-xlsx': packaged(
    xlsx([['One', rowsXml]], {
      strings: '<si><t>a</t></si>',
      styles:
        '<numFmts><numFmt numFmtId="164" formatCode="yyyy-mm-dd"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs>',
    }),
  ),
  'document-odt': packaged(
    openDocument(
      'text',
      '<text:h text:outline-level="1">Ferry</text:h><text:p>The <text:s text:c="2"/>ferry</text:p><text:list><text:list-item><text:p>x</text:p></text:list-item></text:list>',
    ),
  ),
  'document-odp': packaged(
    openDocument(
      'presentation',
      '<draw:page draw:name="a"><draw:frame presentation:class="title"><draw:text-box><text:p>Ferry</text:p></draw:text-box></draw:frame></draw:page>',
    ),
  ),
  'document-ods': packaged(
    openDocument(
      'spreadsheet',
      '<table:table table:name="A"><table:table-row><table:table-cell table:number-columns-repeated="2"><text:p>a</text:p></table:table-cell></table:table-row></table:table>',
    ),
  ),
  'document-epub': packaged(book),
  'document-jsonl': text(
    '{"id":"a","title":"Ferry","text":"The ferry leaves.","year":2024}\n{"id":"b","text":"x"}\n',
  ),
  'document-csv': text('id,title,text\n1,Ferry,"The ferry, leaves"\n2,B,x\n', 'a;b\n1;2\n'),
  'document-json': text(
    '[{"id":"a","title":"Ferry","text":"The ferry leaves."}]',
    '{"openapi":"3.0.0","info":{"title":"F","version":"1"},"paths":{"/a":{"get":{"summary":"S","parameters":[{"name":"x","in":"query","schema":{"type":"string"}}],"responses":{"200":{"description":"ok"}}}}}}',
    '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name":"A"},"geometry":null}]}',
  ),
  'document-ipynb': text(
    '{"cells":[{"cell_type":"markdown","source":["# Ferry\\n","The *ferry* leaves."]},{"cell_type":"code","source":"x","outputs":[{"output_type":"stream","text":["1\\n"]}]}],"metadata":{"language_info":{"name":"python"}},"nbformat":4}',
  ),
  'document-yaml': text(
    'openapi: 3.0.0\ninfo: {title: F, version: "1"}\npaths:\n  /a:\n    get:\n      summary: S\n      requestBody: {$ref: "#/components/x"}\n',
    'a: &x [1]\nb: *x\n',
  ),
  'document-xml': text(
    '<rss version="2.0"><channel><title>F</title><item><title>A</title><description>&lt;p&gt;The ferry&lt;/p&gt;</description><link>https://example.com/a</link></item></channel></rss>',
    '<book xmlns="http://docbook.org/ns/docbook"><title>F</title><chapter xml:id="a"><title>A</title><para>The ferry.</para></chapter></book>',
    '<page xmlns="http://projectmallard.org/1.0/" id="a"><title>F</title><section><title>A</title><p>Press <keyseq><key>Ctrl</key><key>Z</key></keyseq>.</p></section></page>',
    "<mediawiki><page><title>F</title><revision><text>== A ==\nThe ''ferry'' [[a|b]] {{t}}</text></revision></page></mediawiki>",
    '<records><r><id>1</id><title>a</title></r><r><id>2</id><title>b</title></r></records>',
  ),
  'document-zip': packaged(zipOf({ 'a.md': '# Ferry\n\nText.', 'b/c.txt': 'The ferry leaves.' })),
  'document-tar': [tar('a.md', '# Ferry\n\nThe ferry leaves.')],
  'document-gz': [gzipSync('The ferry leaves.')],
  'document-mhtml': text(
    `From: <Saved>\nSubject: F\nMIME-Version: 1.0\nContent-Type: multipart/related; type="text/html"; boundary=b\n\n--b\nContent-Type: text/html\nContent-Location: https://example.com/\n\n${page}\n--b--\n`,
  ),
  'document-eml': text(mail),
  'document-mbox': text(
    `From ann Mon Jan  1 10:00:00 2024\n${mail}\nFrom bob Mon Jan  1 11:00:00 2024\nSubject: Re: Trip\nIn-Reply-To: <1@example.com>\n\n>From here\n> The ferry leaves at 8.\n\nThanks\n`,
  ),
};

/** A file of hnswlib without points. */
function hnswlibFile(): Buffer {
  const links = 2;
  const data = 4 + 4 * links;
  const size = data + 4 * dimensions + 8;
  const file = Buffer.alloc(96 + size + 4);
  for (const [at, value] of [
    [8, 1],
    [16, 1],
    [24, size],
    [32, size - 8],
    [40, data],
    [56, links],
    [64, links],
  ] as const)
    file.writeBigUInt64LE(BigInt(value), at);
  return file;
}

/** Inputs of each target from which fuzzing starts: valid ones. */
export const seeds: Readonly<Record<string, Buffer[]>> = {
  ...Object.fromEntries(
    Object.entries(sectionFiles).map(([name, [format, bytes]]) => [name, sectionInputs(format, bytes)]),
  ),
  ...others,
};
seeds.rows!.push(
  ...(['q4', 'fp16', 'fp32'] as const).flatMap((kind) => sectionInputs(ROWS, rowsFile(kind, 32))),
);
