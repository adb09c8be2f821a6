import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeBuilderCode } from '#lambda-code';
import { compileModel, DEFAULT_MODEL } from '../../index/compile/compile.ts';
import { provideLibrary } from '../../index/engine/compile-engine.ts';
import type { Architecture } from '../../index/engine/native-sources.ts';
import { writeChecks } from '../../index/format/checks.ts';
import { readCompiledModel } from '../../index/format/compiled-model.ts';
import { writeFolder } from '../../index/format/drafts.ts';
import { checkReplaceable } from '../../index/format/writable.ts';
import { formatNotices } from './licence-notices.ts';
import { makeReadable, packageFunction } from './package-function.ts';
import { writeSbom } from './sbom.ts';

/** Names in a packaged builder, including esbuild's chunks, and in those of 0.1.0 (`child.mjs`, `node_modules`). */
const PARTS =
  /^((builder|child|reading-child|worker|graph-process|[\w-]+-[0-9A-Z]{8})\.mjs|package\.json|checks\.bin|THIRD_PARTY_NOTICES\.txt|sbom\.cdx\.json|native|node_modules|pdfjs|function)$/;
/** The parts of pdf.js that reading needs. */
const PDFJS = ['legacy/build/pdf.min.mjs', 'legacy/build/pdf.worker.min.mjs', 'cmaps', 'standard_fonts'];
/** The builder's package.json: what `#` imports mean in its modules. */
const MANIFEST = { type: 'module', imports: { '#pdfjs/*': './pdfjs/*' } };

/**
 * Builds the Lambda deployment folder of a builder: code that reads and builds, and in `function/` the search function without an index.
 * @param out replaced once the new folder is complete; must be a packaged builder or not exist
 * @param architecture of both Lambda functions; default: this machine's
 * @returns the modules in the bundle, as paths from the repository
 * @throws if a part is missing or cannot be compiled, or the model needs ONNX Runtime; `out` then stays unchanged
 */
export async function packageBuilder(
  out: string,
  architecture?: Architecture,
  model = DEFAULT_MODEL,
): Promise<string[]> {
  const { name, engine } = readCompiledModel(compileModel(model), false);
  if (engine !== 'packed')
    throw new Error(
      `${name} runs in ONNX Runtime, which a builder does not contain. Choose a model that polyseek's own engine runs, or build the index on a machine of yours and run npx polyseek push.`,
    );
  checkReplaceable(out, (name) => PARTS.test(name), 'a packaged builder');
  return writeFolder(out, async (draft) => {
    const { modules, components, comments } = await writeBuilderCode(draft);
    const notices = formatNotices(
      'This builder, except function/, which has its own notices,',
      components,
      comments,
    );
    writeFileSync(join(draft, 'THIRD_PARTY_NOTICES.txt'), notices);
    writeFileSync(join(draft, 'package.json'), `${JSON.stringify(MANIFEST, null, 2)}\n`);
    mkdirSync(join(draft, 'native'));
    cpSync(await provideLibrary('hnswlib', architecture), join(draft, 'native/hnswlib.node'));
    writeChecks(draft, ['native/hnswlib.node']);
    writeSbom(draft, { name: 'polyseek-builder', components, hashed: ['native'] });
    copyPdfJs(join(draft, 'pdfjs'));
    // An index in S3 Vectors needs no new function.
    await packageFunction(undefined, join(draft, 'function'), { architecture, model, store: 'bundle' });
    makeReadable(draft);
    return modules;
  });
}

/** Copies the parts of pdf.js that reading needs: 4 MB. The whole package and its canvas have 77 MB. */
export function copyPdfJs(to: string): void {
  const build = fileURLToPath(import.meta.resolve(`#pdfjs/${PDFJS[0]}`));
  const from = build.slice(0, -PDFJS[0]!.length);
  for (const part of PDFJS) cpSync(join(from, part), join(to, part), { recursive: true });
}
